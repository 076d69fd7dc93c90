"""Which responses are compressed."""

import pytest

from adc.compression.eligibility import ask_for_identity, client_accepts, eligible, variant_of
from adc.compression.options import CompressionOptions
from adc.config.model.policies import DEFAULT_TYPES
from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Request, Response

OPTIONS = CompressionOptions(min_size=1000, content_types=("text/*", "application/json"))
DEFAULT = CompressionOptions(content_types=DEFAULT_TYPES)
HTML = (b"Content-Type", b"text/html")


def request(accept=b"gzip"):
    lines = [] if accept is None else [(b"Accept-Encoding", accept)]
    return Request("GET", "/", "/", "", "a", "a", Headers(lines))


def response(*lines, status=200, length=5000):
    return Response(status, Headers(lines or (HTML,)), b"", length)


@pytest.mark.parametrize("status", [200, 201, 301, 403, 404, 500])
def test_statuses_with_content_are_eligible(status):
    assert eligible(response(status=status), OPTIONS)


@pytest.mark.parametrize("status", [101, 204, 205, 206, 304])
def test_statuses_without_content_and_parts_are_not(status):
    assert not eligible(response(status=status), OPTIONS)


@pytest.mark.parametrize(
    ("length", "expected"), [(0, False), (999, False), (1000, True), (UNKNOWN_LENGTH, True)]
)
def test_small_bodies_are_left_alone(length, expected):
    assert eligible(response(length=length), OPTIONS) is expected


def test_empty_bodies_are_left_alone_without_a_minimum():
    assert not eligible(response(length=0), CompressionOptions(min_size=0))


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"text/html; charset=utf-8", True),
        (b"TEXT/Plain", True),
        (b"application/json;charset=utf-8", True),
        (b"application/json-seq", False),
        (b"image/png", False),
        (b"text", True),
        (b"", False),
        (b"textual/html", False),
    ],
)
def test_only_listed_types_are_compressed(content_type, expected):
    assert eligible(response((b"Content-Type", content_type)), OPTIONS) is expected


@pytest.mark.parametrize(
    "content_type",
    [
        "text/event-stream",
        "application/json",
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-seq",
        "application/geo+json",
        "application/geo+json-seq",
        "application/problem+json",
        "application/vnd.api+json; charset=utf-8",
        "application/ld+json",
        "application/manifest+json",
        "application/graphql-response+json",
        "application/fhir+xml",
        "application/soap+xml",
        "application/atom+xml",
        "application/rss+xml",
        "application/xhtml+xml",
        "application/xml",
        "application/wasm",
        "application/javascript",
        "application/x-javascript",
        "application/yaml",
        "image/svg+xml",
        "image/x-icon",
        "font/ttf",
        "font/otf",
        "application/vnd.ms-fontobject",
        "model/gltf+json",
    ],
)
def test_texts_of_every_kind_are_compressed_by_default(content_type):
    assert eligible(response((b"Content-Type", content_type.encode())), DEFAULT)


@pytest.mark.parametrize(
    "content_type",
    [
        "image/png",
        "image/webp",
        "video/mp4",
        "audio/mpeg",
        "font/woff",
        "font/woff2",
        "application/zip",
        "application/gzip",
        "application/pdf",
        "application/octet-stream",
        "application/epub+zip",
        "application/vnd.api+cbor",
        "application/+jsonx",
        "application/jsonx",
        "multipart/x-mixed-replace",
        "application/grpc",
    ],
)
def test_compressed_or_unknown_content_is_unchanged_by_default(content_type):
    assert not eligible(response((b"Content-Type", content_type.encode())), DEFAULT)


def test_a_suffix_belongs_to_its_type():
    options = CompressionOptions(content_types=("application/*+json",))
    assert options.covers(b"Application/Problem+JSON; charset=utf-8")
    for other in (b"application/json", b"image/x+json", b"application/x+json+xml", b"application/*+jso"):
        assert not options.covers(other)


def test_content_without_a_type_is_left_alone():
    assert not eligible(response((b"Server", b"x")), OPTIONS)


@pytest.mark.parametrize(
    "line",
    [
        (b"Content-Encoding", b"gzip"),
        (b"Content-Encoding", b"identity"),
        (b"Content-Range", b"bytes 0-1/2"),
        (b"Set-Cookie", b"a=b"),
        (b"Cache-Control", b"max-age=1, no-transform"),
        (b"cache-control", b"No-Transform"),
    ],
)
def test_a_field_that_stands_against_it(line):
    assert eligible(response(HTML), OPTIONS)
    assert not eligible(response(HTML, line), OPTIONS)


def test_no_transform_in_any_of_several_lines_is_heeded():
    lines = [(b"Cache-Control", b"no-transform"), (b"Cache-Control", b"max-age=1")]
    assert not eligible(response(HTML, *lines), OPTIONS)


def test_the_variant_is_what_client_and_response_agree_on():
    assert variant_of(request(), response(), OPTIONS) == "gzip"
    assert variant_of(request(b"gzip, br"), response(), OPTIONS) == "br"
    assert variant_of(request(None), response(), OPTIONS) is None
    assert variant_of(request(), response(length=10), OPTIONS) is None


def test_the_member_is_asked_for_identity_and_the_client_is_remembered():
    asked = request(b"br")
    ask_for_identity(asked)
    assert asked.headers.get_all(b"accept-encoding") == [b"identity"]
    assert client_accepts(asked) == b"br"
    assert variant_of(asked, response(), OPTIONS) == "br"


def test_a_client_that_said_nothing_is_remembered_as_such():
    asked = request(None)
    ask_for_identity(asked)
    assert asked.headers.get(b"accept-encoding") == b"identity"
    assert client_accepts(asked) is None


def test_several_lines_of_accept_encoding_are_one_list():
    asked = Request(
        "GET", "/", "/", "", "a", "a", Headers([(b"Accept-Encoding", b"br;q=0"), (b"Accept-Encoding", b"*")])
    )
    assert variant_of(asked, response(), CompressionOptions(("br", "gzip"))) == "gzip"
