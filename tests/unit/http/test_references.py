from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.http.references import host_and_port, resolved, split_reference, without_dots, without_host


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        (b"HTTP://A:80/b?c#d", (b"http", b"A:80", b"/b", b"?c#d")),
        (b"//a", (b"", b"a", b"", b"")),
        (b"/b?//c", (b"", None, b"/b", b"?//c")),
        (b"b/c", (b"", None, b"b/c", b"")),
        (b"mailto:a@b", (b"mailto", None, b"a@b", b"")),
        (b"http:/b", (b"http", None, b"/b", b"")),
        (b"?q", (b"", None, b"", b"?q")),
        (b"", (b"", None, b"", b"")),
    ],
)
def test_reference_is_split_into_its_parts(value: bytes, parts: tuple[bytes, ...]) -> None:
    assert split_reference(value) == parts


@given(st.binary())
def test_parts_of_any_value_join_to_it(value: bytes) -> None:
    scheme, authority, path, rest = split_reference(value)
    joined = (b"//" + authority if authority is not None else b"") + path + rest
    assert value.endswith(joined)
    assert value[: len(value) - len(joined)].lower() == (scheme and scheme + b":")


@pytest.mark.parametrize(
    ("scheme", "authority", "found"),
    [
        (b"http", b"A.example", (b"a.example", b"80")),
        (b"https", b"a", (b"a", b"443")),
        (b"https", b"a:", (b"a", b"443")),
        (b"http", b"[::1]:8080", (b"[::1]", b"8080")),
        (b"http", b"user@a", None),
        (b"http", b"a:b@c", None),
        (b"http", b"a:x", None),
        (b"http", b"", None),
        (b"ftp", b"a", None),
    ],
)
def test_host_and_port_of_an_authority(scheme: bytes, authority: bytes, found: object) -> None:
    assert host_and_port(scheme, authority) == found


@pytest.mark.parametrize(
    ("base", "path", "meant"),
    [
        (b"/a/b", b"c", b"/a/c"),
        (b"/a/b", b"./c", b"/a/c"),
        (b"/a/b", b"../c", b"/c"),
        (b"/a/b", b"../../../c", b"/c"),
        (b"/a/b/", b"..", b"/a/"),
        (b"/a/b", b"%2e%2E/c/%2e", b"/c/"),
        (b"/a", b"/x/../y.z", b"/y.z"),
        (b"/a", b"c.d", b"/c.d"),
        (b"/a", b"/x//y", b"/x//y"),
    ],
)
def test_relative_path_is_resolved(base: bytes, path: bytes, meant: bytes) -> None:
    assert resolved(base, path) == meant


@given(st.text(alphabet="/.a%2eE").map(lambda text: b"/" + text.encode()))
def test_path_without_dots_stays_as_it_is(path: bytes) -> None:
    once = without_dots(path)
    assert once.startswith(b"/")
    assert without_dots(once) == once


@pytest.mark.parametrize(
    ("path", "safe"), [(b"//evil/", b"/evil/"), (b"/\\evil", b"/evil"), (b"/a//b", b"/a//b")]
)
def test_path_names_no_host(path: bytes, safe: bytes) -> None:
    assert without_host(path) == safe
