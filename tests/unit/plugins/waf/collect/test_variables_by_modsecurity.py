"""Variables have the values that libmodsecurity gives them, where both read alike."""

import importlib.util
import json
from functools import cache

import pytest
from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.collect.variables import Variables
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kit.modsecurity_values import Values

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("libmodsecurity") is None, reason="libmodsecurity is not installed"
)

ESCAPES = ["%41", "%2b", "%25", "%", "%4", "%zz", "%u0041"]
OF_TARGET = ["REQUEST_URI", "REQUEST_FILENAME", "REQUEST_BASENAME", "QUERY_STRING"]
ERROR = ["URLENCODED_ERROR"]
OF_ARGUMENTS = ["ARGS", "ARGS_NAMES", "ARGS_GET", "ARGS_GET_NAMES"]
FLAGS = ["REQBODY_ERROR", "MULTIPART_STRICT_ERROR"]
MULTIPART = ("Content-Type", "multipart/form-data; boundary=B")


def texts(*pieces, size=12):
    return st.lists(st.sampled_from(pieces), max_size=size).map("".join)


@cache
def oracle(names, processor=""):
    return Values(names, processor)


def theirs(names, target="/", headers=(), body=b"", processor=""):
    found = oracle(tuple(names), processor).of(target, headers, body)
    return {name: sorted(found[name]) for name in names}


def ours(target="/", headers=(), body=b"", processor=None):
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    variables = Variables(
        RequestFacts(b"POST", target.encode(), b"HTTP/1.1", pairs, b"", 0, b"", 0, b"", 0.0)
    )
    if body:
        variables.set_request_body(body, False, processor or variables.processor)
    return variables


def shown(variables, names):
    """Return items as the oracle shows them, sorted: its collections have no order."""
    return {name: sorted(_item(name, *pair) for pair in variables.get(name)) for name in names}


def _item(name, key, value):
    return f"{key.decode()}|{value.decode()}" if key or name in OF_ARGUMENTS else value.decode()


@given(texts("/", "x", "y.z", "?", "&", "=", "+", ";", *ESCAPES).map("/x".__add__))
def test_target(target):
    names = OF_TARGET + OF_ARGUMENTS
    assert shown(ours(target), names) == theirs(names, target)


@given(texts("a", "b", "=", ";", " ", "%41", ",", '"').map("x=".__add__))
def test_cookies(header):
    headers = [("Cookie", header)]
    found = [pair for pair in ours("/", headers).get("REQUEST_COOKIES") if pair[0]]
    expected = theirs(["REQUEST_COOKIES"], "/", headers)["REQUEST_COOKIES"]
    assert sorted(f"{name.decode()}|{value.decode()}" for name, value in found) == expected


@given(texts("x", "y", "=", "&", "+", ";", *ESCAPES).map("a".__add__))
def test_form(body):
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    names = ["ARGS", "ARGS_NAMES"]
    found = ours("/", headers, body.encode())
    assert shown(found, names) == theirs(names, "/", headers, body.encode())
    if shown(found, ERROR)["URLENCODED_ERROR"] == ["0"]:
        assert theirs(ERROR, "/", headers, body.encode())["URLENCODED_ERROR"] == ["0"]


WORDS = st.text("abc", max_size=2)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


@given(DOCUMENTS, texts("", "", "", "}", "x", ",", '"', " ", size=2))
def test_json_is_never_less_strict(document, suffix):
    body = (json.dumps(document) + suffix).encode()
    found = ours("/", (), body, "JSON")
    expected = theirs(["ARGS", "REQBODY_ERROR"], "/", (), body, "JSON")
    if shown(found, ["REQBODY_ERROR"])["REQBODY_ERROR"] == ["0"]:
        assert expected["REQBODY_ERROR"] == ["0"]
        assert shown(found, ["ARGS"])["ARGS"] == expected["ARGS"]


LINES = texts(
    "--B\r\n",
    "--B--\r\n",
    "--B--",
    'Content-Disposition: form-data; name="a"\r\n',
    "Content-Disposition: form-data; name=b; filename='c'\r\n",
    'Content-Disposition: form-data; name="a"; filename="c"\r\n',
    "Content-Type: text/plain\r\n",
    "\r\n",
    "\n",
    "value\r\n",
    "--x\r\n",
    " folded\r\n",
    size=14,
)
PART = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n'


@settings(max_examples=300)
@given(
    st.one_of(
        LINES.map(lambda text: f"{PART}1\r\n{text}"),
        LINES.map(lambda text: f"{PART}{text}\r\n--B--\r\n"),
    )
)
def test_multipart_is_never_less_strict(body):
    found = ours("/", [MULTIPART], body.encode())
    expected = theirs([*FLAGS, "ARGS"], "/", [MULTIPART], body.encode())
    if shown(found, FLAGS) == {name: ["0"] for name in FLAGS}:
        assert {name: expected[name] for name in FLAGS} == {name: ["0"] for name in FLAGS}
        values = [f"{name.decode()}|{value.decode()}" for name, value in found.get("ARGS")]
        assert sorted(map(_joined, values)) == sorted(map(_joined, expected["ARGS"]))


def _joined(text):
    """Leave out line ends: libmodsecurity 3.0.15 loses some of those in a value."""
    return text.replace("\r", "").replace("\n", "")
