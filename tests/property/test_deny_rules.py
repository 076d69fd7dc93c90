"""No reading of what a member receives is under a prefix that an earlier route denies.

The readings here are written for this test only, with other means than those of the proxy.
"""

import posixpath
import random
import re
import tempfile
from pathlib import Path
from unicodedata import normalize
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adc.config import load
from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.target import BadTarget, split_target
from adc.routing.settle import settle
from adc.runtime.assembly.runtime import build_runtime
from adc.runtime.steps import at_once


def segments(change):
    return lambda path: b"/".join(change(segment) for segment in path.split(b"/"))


READINGS = [
    unquote_to_bytes,
    lambda path: path.replace(b"\\", b"/"),
    segments(lambda segment: segment.split(b";")[0]),
    lambda path: path.split(b";")[0],
    lambda path: path.split(b"\0")[0],
    lambda path: path.split(b"?")[0],
    lambda path: path.split(b"#")[0],
    segments(lambda segment: segment.strip(b" \t\r\n\v\f\0")),
    segments(lambda segment: segment if set(segment) <= {ord(".")} else segment.rstrip(b". ")),
    lambda path: path.translate(None, b"\t\r\n"),
    lambda path: re.sub(b"/+", b"/", path),
    lambda path: posixpath.normpath(path) + b"/" * path.endswith((b"/", b"/.", b"/..")),
    lambda path: re.sub(b"/(\\./)+", b"/", path),
    lambda path: re.sub(b"[\xc0\xc1][\x80-\xbf]", lambda m: bytes([(m[0][0] & 1) << 6 | m[0][1] & 63]), path),
    lambda path: b"/" + path.lstrip(b"/").partition(b"/")[2] if path.startswith(b"//") else path,
    lambda path: normalize("NFKC", path.decode("utf-8", "surrogateescape")).encode(
        "utf-8", "surrogateescape"
    ),
    lambda path: b"/".join(
        name.decode("utf-8", "surrogateescape").strip().encode("utf-8", "surrogateescape")
        for name in path.split(b"/")
    ),
    lambda path: urlsplit(path.decode("latin-1")[path.startswith(b"//") :]).path.encode("latin-1"),
]
ESCAPES = ["%2f", "%2F", "%5c", "%3b", "%2e", "%20", "%0a", "%00", "%25", "%61", "%3f", "%23", "%09"]
PIECES = [
    "/",
    "//",
    "/",
    "admin",
    "x",
    ".",
    "..",
    ";",
    ";a=b",
    "adm",
    "in",
    "%2561dmin",
    "%252f",
    "%c0%af",
    "%c2%a0",
    "%e2%80%a5",
    "%c2%aa",
    "%ef%bc%8f",
]
TARGETS = st.lists(st.sampled_from(PIECES + ESCAPES), min_size=1, max_size=8).map(
    lambda found: "/" + "".join(found)
)
CONFIGURATION = {
    "listeners": [{"name": "web", "bind": "127.0.0.1:8080"}],
    "routes": [
        {"name": "deny", "match": {"path": "/admin/"}, "respond": 403},
        {"name": "all", "pool": "app"},
    ],
    "pools": {"app": ["127.0.0.1:9001"]},
}


def finder(normalize):
    routes = [CONFIGURATION["routes"][0], {**CONFIGURATION["routes"][1], "normalize": normalize}]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "adc.yaml"
        file.write_text(yaml.safe_dump({**CONFIGURATION, "routes": routes}))
        return at_once(build_runtime(load(file, {}).config, random.Random(1))).finders["web"]


FINDERS = {normalize: finder(normalize) for normalize in ("match", "send", "off")}


def sent(target, find):
    """The target that the member receives, None if it receives none."""
    try:
        path, query, plain = split_target(target)
    except BadTarget:
        return None
    request = Request("GET", target, path, query, "a", "a", Headers())
    request.plain = plain
    if plain:
        return target if find(request).name == "all" else None
    settled = settle(request, find, lambda pipeline: pipeline.paths)
    return None if settled.refusal or settled.value.name == "deny" else settled.target


@pytest.mark.parametrize("normalize", FINDERS)
@settings(max_examples=400, deadline=None)
@given(target=TARGETS, order=st.lists(st.sampled_from(READINGS), max_size=6))
def test_no_reading_of_what_a_member_receives_is_denied(normalize, target, order):
    received = sent(target, FINDERS[normalize])
    if received is None:
        return
    path = received.partition("?")[0].encode()
    for read in [lambda path: path, *order]:
        path = read(path) or b"/"
        assert not path.startswith(b"/admin/"), (target, received, path)
