"""Plugins, cache and compression in every combination: what a client receives is always consistent.

Whatever stands between the member and the client, the content is the right one in the coding that the head names, its
length is the one that was announced, the entity tag is strong only for the member's own bytes, and a part is a part of
what a plain GET would get.
"""

import contextlib
import gzip
from itertools import product

import pytest

from tests.kit.client import chunks_of
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.wire.cached import Cached, caching
from tests.wire.plugins.plugged_transforms import transform_folder

BODY = b"some content of the member, " * 40
GZIPPED = gzip.compress(BODY, mtime=0)
FIELDS = (
    "Content-Type: text/plain",
    'ETag: "1"',
    "Last-Modified: Sat, 28 Nov 2020 12:00:00 GMT",
    "Accept-Ranges: bytes",
)

PLUGINS = {
    "none": [],
    "transform": [{"upper": {}}],
    "transform later": [{"upper_later": {}}],
    "transform whole": [{"upper": {"whole": True}}],
    "transform twice": [{"upper": {}}, {"upper_later": {"whole": True}}],
    "cached transform": [{"upper": {"cached": True}}],
    "cached transform whole, later": [{"upper_later": {"cached": True, "whole": True}}],
    "both": [{"upper": {}}, {"upper": {"cached": True}}],
    "skip response": [{"upper": {"skip": "response"}}],
    "skip request": [{"upper": {"skip": "request"}}],
    "cached skip": [{"upper": {"cached": True, "skip": "response"}}],
}
FORMS = ("length", "chunked", "gzip", "gzip chunked")
ACCEPTS = ("", "gzip")
REQUESTS = {
    "get": ("GET", ()),
    "head": ("HEAD", ()),
    "range": ("GET", ("Range: bytes=5-9",)),
    "last": ("GET", ("Range: bytes=-5",)),
    "beyond": ("GET", ("Range: bytes=99999-",)),
    "if-range": ("GET", ("Range: bytes=5-9", 'If-Range: "1"')),
    "if-range of another": ("GET", ("Range: bytes=5-9", 'If-Range: "2"')),
    "has strong": ("GET", ('If-None-Match: "1"',)),
    "has weak": ("GET", ('If-None-Match: W/"1"',)),
    "has another": ("GET", ('If-None-Match: "2"',)),
}


def member(form):
    """A member that follows the RFCs: conditions, ranges and codings as it was asked, all but identity for a form that
    is coded."""

    def reply(request):
        coded = form.startswith("gzip")
        content = GZIPPED if coded else BODY
        fields = [*FIELDS, "Cache-Control: max-age=100", "Content-Digest: sha-256=:x:"]
        if coded:
            fields.append("Content-Encoding: gzip")
        if any(b'"1"' in value for value in request.all(b"if-none-match")):
            return response(b"", *FIELDS[1:2], status=304, length=False)
        asked = request.all(b"range")
        if asked and (request.all(b"if-range") or [b'"1"']) == [b'"1"']:
            return part(content, asked[0].partition(b"=")[2].decode(), fields)
        if request.method == "HEAD":
            length = (
                [f"Content-Length: {len(content)}"]
                if "chunked" not in form
                else ["Transfer-Encoding: chunked"]
            )
            return response(b"", *fields, *length, length=False)
        if "chunked" in form:
            parts = [content[number : number + 9] for number in range(0, len(content), 9)]
            return response(b"", *fields, "Transfer-Encoding: chunked", length=False) + chunks_of(*parts)
        return response(content, *fields)

    return reply


def part(content, asked, fields):
    first, _, last = asked.partition("-")
    start = int(first) if first else len(content) - int(last)
    stop = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if start >= len(content):
        return response(b"", f"Content-Range: bytes */{len(content)}", *FIELDS[1:2], status=416)
    where = f"Content-Range: bytes {start}-{stop}/{len(content)}"
    return response(content[start : stop + 1], *fields, where, status=206)


@contextlib.asynccontextmanager
async def site(folder, plugins, form, cache, compression):
    transform_folder(folder)
    policies = {"plugins": PLUGINS[plugins], **({"compression": {}} if compression else {})}
    top = {"plugin_paths": [str(folder / "plugins")]}
    if cache:
        async with caching(folder, member(form), route=policies, disk=False, top=top) as served:
            yield served
        return
    async with (
        Member(answering(member(form))) as origin,
        serving(folder / "run", config(origin.address, route=policies, **top)) as proxy,
        proxy.client() as client,
    ):
        yield Cached(proxy, client, origin)


def transforms(plugins):
    return "skip" not in plugins and plugins != "none"


@pytest.mark.parametrize("compression", [False, True], ids=["", "compression"])
@pytest.mark.parametrize("cache", [False, True], ids=["", "cache"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("plugins", PLUGINS)
async def test_client_receives_what_the_head_says(tmp_path, plugins, form, cache, compression):
    async with site(tmp_path, plugins, form, cache, compression) as served:
        for number, (accept, name) in enumerate(product(ACCEPTS, REQUESTS)):
            method, fields = REQUESTS[name]
            fields = [*fields, *([f"Accept-Encoding: {accept}"] if accept else [])]
            for turn in range(2):
                got = await served.get(f"/{number}", *fields, method=method)
                try:
                    check(got, name, method, plugins, form, accept, compression)
                except AssertionError as error:
                    error.add_note(f"{name}, accept {accept!r}, turn {turn}: {got.start!r} {got.fields}")
                    raise
        checked_heads(await both(served))


async def both(served):
    return await served.get(), await served.get(method="HEAD")


def checked_heads(heads):
    """HEAD has the fields of GET; a length may be missing, but is never another."""
    of_get, of_head = (dict(each.fields) for each in heads)
    for volatile in (b"date", b"age", b"cache-status", b"transfer-encoding", b"x-upper"):
        of_get.pop(volatile, None)
        of_head.pop(volatile, None)
    length = of_head.pop(b"content-length", None)
    assert length in (None, of_get.get(b"content-length"))
    of_get.pop(b"content-length", None)
    assert of_head == of_get


def check(got, name, method, plugins, form, accept, compression):
    changed = transforms(plugins)
    whole = BODY.upper() if changed else BODY
    fields = dict(got.fields)
    assert len(got.all(b"etag")) <= 1
    if got.status == 304:
        assert name in ("has strong", "has weak")
        assert got[b"etag"] in (b'"1"', b'W/"1"')
        assert not {b"content-length", b"content-type"} & set(fields) or not changed
        return
    if got.status == 416:
        assert name == "beyond"
        assert got.body == b""
        assert fields[b"content-range"].startswith(b"bytes */")
        return
    coding = fields.get(b"content-encoding")
    assert coding in (None, b"gzip")
    if changed:
        assert fields[b"etag"].startswith(b"W/")
        assert b"content-digest" not in fields
        assert coding is None or (accept == "gzip" and compression)
    if compression and not accept and got.status == 200:  # a part cannot be decoded
        assert coding is None
    if compression and got.status == 200:
        assert b"accept-encoding" in fields[b"vary"].lower()
    if method == "HEAD":
        assert got.body == b""
        return
    if b"content-length" in fields:
        assert int(fields[b"content-length"]) == len(got.body)
    if got.status == 206:
        assert name in ("range", "last", "if-range")
        assert name != "if-range" or not fields[b"etag"].startswith(b"W/")
        first, last, total = map(int, fields[b"content-range"][6:].replace(b"/", b"-").split(b"-"))
        source = whole if total == len(whole) else GZIPPED
        assert total == len(source)
        assert got.body == source[first : last + 1]
        assert (source is GZIPPED) == (coding == b"gzip")
        return
    assert got.status == 200
    assert b"content-range" not in fields
    if coding != b"gzip" and not changed and not compression and form.startswith("gzip"):
        raise AssertionError("the coding was lost")
    assert (gzip.decompress(got.body) if coding else got.body) == whole
