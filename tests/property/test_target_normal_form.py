from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from adc.http.readings import readings
from adc.http.target import BadHost, BadTarget, normalise_path, parse_host, split_target

ESCAPES = ["%2e", "%2E", "%61", "%2f", "%5C", "%25", "%c0%af", "%7e", "%"]
PIECES = st.sampled_from(["/", "//", "a", ".", "..", "|", ";", "~", "?", *ESCAPES])
WRITTEN = st.lists(PIECES, max_size=12).map(lambda pieces: "/" + "".join(pieces))
NORMAL = re.compile(r"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*")


def accepted(path: str) -> str | None:
    try:
        return normalise_path(path)
    except BadTarget:
        return None


@given(WRITTEN | st.text(max_size=20))
def test_accepted_target_is_normal_and_normalising_again_keeps_it(path: str) -> None:
    normal = accepted(path)
    if normal is not None:
        assert NORMAL.fullmatch(normal)
        assert not {"", ".", ".."} & set(normal[1:].split("/")[:-1])
        assert normalise_path(normal) == normal


@given(st.lists(st.sampled_from(["a", "b.c", "-", "~", ".x"]), min_size=1), st.data())
def test_encoding_unreserved_characters_changes_nothing_but_plainness(
    segments: list[str], data: st.DataObject
) -> None:
    path = "/" + "/".join(segments)
    at = data.draw(st.sampled_from([at for at, letter in enumerate(path) if letter != "/"]))
    spelled = f"{path[:at]}%{ord(path[at]):02x}{path[at + 1 :]}"
    assert split_target(path) == (path, "", True)
    assert split_target(spelled) == (path, "", False)


@given(WRITTEN)
def test_a_plain_path_has_no_other_reading(path: str) -> None:
    try:
        target = split_target(path)
    except BadTarget:
        return
    written = path.partition("?")[0]
    if target.plain:
        assert target.path == written
        assert set(readings(written, target.path)) == {written}


@given(st.text("aB1.-_:[]%@ 0x\n", max_size=20))
def test_host_that_is_accepted_is_its_own_host(value: str) -> None:
    try:
        host = parse_host(value)
    except BadHost:
        return
    assert parse_host(host) == host == host.lower()
    assert re.fullmatch(r"[a-z0-9_][a-z0-9._-]*|\[[0-9a-f:]+\]", host)
