"""Requests that two parsers could read differently: refused, closed, logged, never seen by a member.

Each is sent whole, some of each kind cut in two; many carry `SMUGGLED`, which must never be served.
"""

import asyncio
import contextlib

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, echo
from tests.kit.proxy import config, serving
from tests.kit.waiting import settled

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def head(*lines, start="POST / HTTP/1.1", host="a"):
    text = "\r\n".join([start, *([f"Host: {host}"] if host is not None else []), *lines, "", ""])
    return text.encode("latin-1")


def chunks(data, *lines):
    return head("Transfer-Encoding: chunked", *lines) + data


LENGTHS = {
    "CL.TE": head("Content-Length: 6", "Transfer-Encoding: chunked") + b"0\r\n\r\nG",
    "TE.CL": head("Transfer-Encoding: chunked", "Content-Length: 4") + b"5c\r\n" + SMUGGLED,
    "CL.CL different": head("Content-Length: 0", "Content-Length: 35") + SMUGGLED,
    "CL.CL same": head("Content-Length: 3", "Content-Length: 3") + b"abc",
    "CL list": head("Content-Length: 3, 3") + b"abc",
    "CL list different": head("Content-Length: 0, 35") + SMUGGLED,
    "CL plus": head("Content-Length: +3") + b"abc",
    "CL minus": head("Content-Length: -3") + b"abc",
    "CL minus zero": head("Content-Length: -0") + SMUGGLED,
    "CL inner space": head("Content-Length: 1 2") + b"abc",
    "CL hexadecimal": head("Content-Length: 0x3") + b"abc",
    "CL underscore": head("Content-Length: 1_0") + b"abcdefghij",
    "CL fraction": head("Content-Length: 3.0") + b"abc",
    "CL exponent": head("Content-Length: 3e0") + b"abc",
    "CL empty": head("Content-Length:") + SMUGGLED,
    "CL quoted": head('Content-Length: "3"') + b"abc",
    "CL word": head("Content-Length: three") + b"abc",
    "CL overflow": head("Content-Length: 18446744073709551619") + b"abc",
    "CL long overflow": head("Content-Length: " + "9" * 100) + b"abc",
    "CL unicode digit": head("Content-Length: \xb3") + b"abc",
    "CL vertical tab": head("Content-Length: \x0b3") + b"abc",
    "CL NUL": head("Content-Length: 3\x00") + b"abc",
    "CL space before colon": head("Content-Length : 35") + SMUGGLED,
    "CL tab before colon": head("Content-Length\t: 35") + SMUGGLED,
    "CL folded": head("Content-Length:\r\n 35") + SMUGGLED,
}

CODINGS = {
    "TE xchunked": "Transfer-Encoding: xchunked",
    "TE chunkedx": "Transfer-Encoding: chunkedx",
    "TE identity": "Transfer-Encoding: identity",
    "TE gzip": "Transfer-Encoding: gzip",
    "TE gzip, chunked": "Transfer-Encoding: gzip, chunked",
    "TE chunked, gzip": "Transfer-Encoding: chunked, gzip",
    "TE chunked, identity": "Transfer-Encoding: chunked, identity",
    "TE identity, chunked": "Transfer-Encoding: identity, chunked",
    "TE chunked, chunked": "Transfer-Encoding: chunked, chunked",
    "TE comma": "Transfer-Encoding: ,chunked",
    "TE trailing comma": "Transfer-Encoding: chunked,",
    "TE parameter": "Transfer-Encoding: chunked;q=1",
    "TE quoted": 'Transfer-Encoding: "chunked"',
    "TE apostrophes": "Transfer-Encoding: 'chunked'",
    "TE empty": "Transfer-Encoding:",
    "TE vertical tab": "Transfer-Encoding: \x0bchunked",
    "TE form feed": "Transfer-Encoding: chunked\x0c",
    "TE NUL": "Transfer-Encoding: chunked\x00",
    "TE NBSP": "Transfer-Encoding: \xa0chunked",
    "TE inner space": "Transfer-Encoding: chun ked",
    "TE space before colon": "Transfer-Encoding : chunked",
    "TE space before name": " Transfer-Encoding: chunked",
    "TE folded": "X: y\r\n Transfer-Encoding: chunked",
    "TE folded value": "Transfer-Encoding:\r\n chunked",
    "TE bare LF": "X: y\nTransfer-Encoding: chunked",
    "TE bare CR": "X: y\rTransfer-Encoding: chunked",
    "TE twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "TE twice different": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "TE twice turned": "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "TE twice, case": "Transfer-Encoding: chunked\r\ntransfer-encoding: cow",
}

CODED = {name: head(line) + b"0\r\n\r\n" + SMUGGLED for name, line in CODINGS.items()}
CODED |= {
    f"{name} and CL": head(line, "Content-Length: 4") + b"5c\r\n" + SMUGGLED for name, line in CODINGS.items()
}
CODED["TE in HTTP/1.0"] = (
    head("Transfer-Encoding: chunked", start="POST / HTTP/1.0") + b"0\r\n\r\n" + SMUGGLED
)

CHUNKS = {
    "size word": b"x\r\nabc\r\n0\r\n\r\n",
    "size empty": b"\r\nabc\r\n0\r\n\r\n",
    "size minus": b"-3\r\nabc\r\n0\r\n\r\n",
    "size plus": b"+3\r\nabc\r\n0\r\n\r\n",
    "size 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "size space before": b" 3\r\nabc\r\n0\r\n\r\n",
    "size space behind": b"3 \r\nabc\r\n0\r\n\r\n",
    "size tab behind": b"3\t\r\nabc\r\n0\r\n\r\n",
    "extension without semicolon": b"3 a=b\r\nabc\r\n0\r\n\r\n",
    "size with CR before the extension": b"3\r;a\r\nabc\r\n0\r\n\r\n",
    "extension with CR": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "size underscore": b"1_0\r\nabcdefghijklmnop\r\n0\r\n\r\n",
    "size overflow": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "size overflow by zeros": b"f" * 17 + b"\r\nabc\r\n0\r\n\r\n",
    "size bare LF": b"3\nabc\r\n0\r\n\r\n",
    "size bare CR": b"3\rabc\r\n0\r\n\r\n",
    "data too long": b"3\r\nabcd\r\n0\r\n\r\n",
    "data without CRLF": b"3\r\nabc0\r\n\r\n",
    "data ended by LF": b"3\r\nabc\n0\r\n\r\n",
    "data ended by CR": b"3\r\nabc\r0\r\n\r\n",
    "extension with LF": b"3;a=b\nabc\r\n0\r\n\r\n",
    "extension with NUL": b"3;a=\x00\r\nabc\r\n0\r\n\r\n",
    "last chunk bare LF": b"3\r\nabc\r\n0\n\n",
    "last chunk half bare LF": b"3\r\nabc\r\n0\r\n\n",
    "trailer without name": b"0\r\n: x\r\n\r\n",
    "trailer with space before colon": b"0\r\nX : y\r\n\r\n",
    "trailer with bare LF": b"0\r\nX: y\n\r\n",
    "trailer folded": b"0\r\nX: y\r\n z\r\n\r\n",
    "trailer without colon": b"0\r\nGET /smuggled HTTP/1.1\r\n\r\n",
}
CHUNKED = {f"chunk {name}": chunks(data) + SMUGGLED for name, data in CHUNKS.items()}

FIELDS = {
    "bare LF lines": get().replace(b"\r\n", b"\n"),
    "bare LF end": b"GET / HTTP/1.1\r\nHost: a\r\n\n" + SMUGGLED,
    "bare LF field": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "bare CR lines": get().replace(b"\r\n", b"\r"),
    "bare CR in value": head("X: a\rb"),
    "bare CR before LF": head("X: a\r"),
    "folded": head("X: a", " b"),
    "folded with a tab": head("X: a", "\tb"),
    "folded first line": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "NUL in a value": head("X: a\x00b"),
    "NUL in a name": head("X\x00: a"),
    "control in a name": head("X\x01Y: a"),
    "control in a value": head("X: a\x01b"),
    "DEL in a value": head("X: a\x7fb"),
    "space in a name": head("X Y: a"),
    "space before the colon": head("X : a"),
    "tab before the colon": head("X\t: a"),
    "no name": head(": a"),
    "no colon": head("X"),
    "non-ASCII name": head("X\xe9: a"),
    "brackets in a name": head("X(Y): a"),
    "too many fields": head(*(f"X-{number}: 1" for number in range(150))),
    "Host twice": head("Host: b"),
    "Host twice the same": head("Host: a"),
    "no Host": head(host=None),
    "Host empty": head(host=""),
    "Host list": head(host="a, b"),
    "Host with a path": head(host="a/b"),
    "Host with user": head(host="u@a"),
    "Host with space": head(host="a b"),
    "Host with a bad port": head(host="a:port"),
    "Host with a huge port": head(host="a:99999"),
    "Host non-ASCII": head(host="\xe9.example"),
    "Host with NUL": head(host="a\x00b"),
    "Host percent": head(host="a%2eb"),
    "Host IPv6 open": head(host="[::1"),
}

LINES = {
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/0.9 version": head(start="GET / HTTP/0.9"),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0": head(start="GET / HTTP/2.0"),
    "HTTP/3.0": head(start="GET / HTTP/3.0"),
    "HTTP/0.2": head(start="GET / HTTP/0.2"),
    "RTSP": head(start="OPTIONS / RTSP/1.0"),
    "RTSP with a method of HTTP": head(start="GET / RTSP/1.0"),
    "ICE": head(start="SOURCE / ICE/1.0"),
    "HTTP/1.10": head(start="GET / HTTP/1.10"),
    "HTTP/1": head(start="GET / HTTP/1"),
    "lower-case http": head(start="GET / http/1.1"),
    "no version": head(start="GET / "),
    "tab": head(start="GET\t/ HTTP/1.1"),
    "space before": head(start=" GET / HTTP/1.1"),
    "space behind": head(start="GET / HTTP/1.1 "),
    "target with a space": head(start="GET /a b HTTP/1.1"),
    "target with NUL": head(start="GET /a\x00b HTTP/1.1"),
    "target with an escaped NUL": head(start="GET /a%00b HTTP/1.1"),
    "target with a control": head(start="GET /a\x01b HTTP/1.1"),
    "target non-ASCII": head(start="GET /\xe9 HTTP/1.1"),
    "target with a bad escape": head(start="GET /%zz HTTP/1.1"),
    "target with a backslash": head(start="GET /a\\b HTTP/1.1"),
    "target with a fragment": head(start="GET /a#b HTTP/1.1"),
    "target climbs": head(start="GET /../x HTTP/1.1"),
    "target hides dots": head(start="GET /a/..;/b HTTP/1.1"),
    "target asterisk": head(start="GET * HTTP/1.1"),
    "target relative": head(start="GET x HTTP/1.1"),
    "target authority": head(start="GET a:80 HTTP/1.1"),
    "absolute ftp": head(start="GET ftp://a/ HTTP/1.1"),
    "absolute without host": head(start="GET http:///x HTTP/1.1"),
    "absolute with user": head(start="GET http://u@a/ HTTP/1.1"),
    "absolute with a bad port": head(start="GET http://a:x/ HTTP/1.1"),
    "absolute non-ASCII": head(start="GET http://\xe9/ HTTP/1.1"),
    "CONNECT": head(start="CONNECT a:443 HTTP/1.1"),
    "CONNECT with data": head(start="CONNECT a:443 HTTP/1.1") + SMUGGLED,
    "TRACE": head(start="TRACE / HTTP/1.1"),
    "method over 64 bytes": head(start=f"{'M' * 65} / HTTP/1.1"),
    "method with a slash": head(start="A/B / HTTP/1.1"),
    "method with a quote": head(start='"GET" / HTTP/1.1'),
    "method non-ASCII": head(start="G\xc9T / HTTP/1.1"),
    "method with a colon": head(start="Host: / HTTP/1.1"),
    "lower-case CONNECT target": head(start="connect a:443 HTTP/1.1"),
    "unknown method, both lengths": head(
        "Content-Length: 3", "Transfer-Encoding: chunked", start="LIST / HTTP/1.1"
    )
    + b"0\r\n\r\n"
    + SMUGGLED,
    "unknown method, two lengths": head("Content-Length: 0", "Content-Length: 35", start="LIST / HTTP/1.1")
    + SMUGGLED,
    "unknown method, bad coding": head("Transfer-Encoding: xchunked", start="LIST / HTTP/1.1") + SMUGGLED,
    "unknown method, two hosts": head("Host: b", start="LIST / HTTP/1.1"),
    "unknown method, folded": head("X: a", " b", start="LIST / HTTP/1.1"),
    "unknown method, HTTP/2.0": head(start="LIST / HTTP/2.0"),
    "unknown method, HTTP/0.9": head(start="LIST / HTTP/0.9"),
    "unknown method, no host": head(start="LIST / HTTP/1.1", host=None),
    "unknown method, bad target": head(start="LIST /../x HTTP/1.1"),
    "HTTP/1.2, both lengths": head("Content-Length: 3", "Transfer-Encoding: chunked", start="POST / HTTP/1.2")
    + SMUGGLED,
    "repeated field, two lengths": head(*["User-Agent: a", "Content-Length: 0"] * 2) + SMUGGLED,
    "repeated field, two hosts": head("ETag: a", "Host: a", "ETag: a"),
    "repeated field, folded": head("ETag: a", "ETag: a", " b"),
    "repeated field with a space": head("ETag: a", "ETag : a"),
    "repeated field, bare LF": head("ETag: a\nETag: b"),
    "method with NUL": head(start="GE\x00T / HTTP/1.1"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
    "nothing but NUL": b"\x00" * 100,
    "proxy protocol": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + get(),
}

REFUSED = LENGTHS | CODED | CHUNKED | FIELDS | LINES
CUT_EVERYWHERE = (
    "CL.TE",
    "TE.CL",
    "CL.CL different",
    "TE folded value",
    "TE twice turned",
    "chunk size overflow",
    "chunk size bare LF",
    "chunk last chunk half bare LF",
    "chunk trailer with bare LF",
    "bare LF end",
    "bare CR before LF",
    "folded",
    "HTTP/0.9",
    "absolute with user",
    "method over 64 bytes",
    "unknown method, both lengths",
    "unknown method, two lengths",
    "HTTP/1.2, both lengths",
    "repeated field, two lengths",
)


@contextlib.asynccontextmanager
async def started(tmp_path):
    async with Member(answering(echo)) as member, serving(tmp_path, config(member.address)) as proxy:
        yield proxy, member


async def refusal(proxy, pieces):
    """The reply to a refused request, after which the connection must be closed."""
    async with proxy.client() as client:
        for piece in pieces:
            client.writer.write(piece)
            await settled(1)
        client.finish_sending()
        reply = await client.reply()
        await client.closed()
        return reply


def served(member):
    """Whether any request, or the beginning of one, came to the member in a form that could be answered."""
    return [request.start for request in member.requests]


@pytest.mark.parametrize("name", REFUSED)
async def test_ambiguous_request_is_rejected(tmp_path, name):
    async with started(tmp_path) as (proxy, member):
        reply = await refusal(proxy, [REFUSED[name]])
        assert 400 <= reply.status < 600
        assert reply.status not in (404, 408, 502)
        assert reply[b"connection"] == b"close"
        assert not member.received
        assert "request_refused" in proxy.error_log()
        assert proxy.access_log()[-1]["status"] == reply.status


@pytest.mark.parametrize("name", CUT_EVERYWHERE)
async def test_it_is_refused_wherever_it_is_cut(tmp_path, name):
    data = REFUSED[name]
    async with started(tmp_path) as (proxy, member):
        step = max(1, len(data) // 60)
        for cut in range(1, len(data), step):
            reply = await refusal(proxy, [data[:cut], data[cut:]])
            assert 400 <= reply.status < 600
        assert served(member) == []
        assert b"smuggled" not in member.received


@pytest.mark.parametrize("name", [name for name in CHUNKED if "size empty" not in name])
async def test_a_body_that_breaks_later_is_no_whole_request_for_the_member(tmp_path, name):
    data = REFUSED[name]
    end = data.index(b"\r\n\r\n") + 4
    async with started(tmp_path) as (proxy, member):
        async with proxy.client() as client:
            client.writer.write(data[:end])
            await asyncio.sleep(0.01)
            client.writer.write(data[end:])
            client.finish_sending()
            reply = await client.reply()
            assert (reply.status, reply[b"connection"]) == (400, b"close")
            await client.closed()
        assert served(member) == []
        assert b"smuggled" not in member.received


ALLOWED = {
    "obs-text in a value": head("X: caf\xe9"),
    "case of TE": head("TRANSFER-ENCODING: CHUNKED") + b"0\r\n\r\n",
    "space around a value": head("X: \t a \t "),
    "leading zeros of a length": head("Content-Length: 003") + b"abc",
    "leading zeros of a chunk": chunks(b"0003\r\nabc\r\n000\r\n\r\n"),
    "upper-case chunk size": chunks(b"A\r\nabcdefghij\r\n0\r\n\r\n"),
    "chunk extension": chunks(b'3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n'),
    "absolute form": head(start="GET http://a/x HTTP/1.1", host="b"),
    "a port": head(host="a:8080"),
    "IPv6": head(host="[::1]:80"),
    "more spaces in the request line": head(start="GET  /   HTTP/1.1"),
    "unusual methods": head(start="PROPFIND / HTTP/1.1"),
    "unknown method": head(start="LIST / HTTP/1.1"),
    "unknown method with a length": head("Content-Length: 3", start="LIST / HTTP/1.1") + b"abc",
    "unknown method, chunked": head("Transfer-Encoding: chunked", start="LIST / HTTP/1.1")
    + b"3\r\nabc\r\n0\r\n\r\n",
    "lower-case method": head(start="get / HTTP/1.1"),
    "HTTP/1.2": head(start="GET / HTTP/1.2"),
    "HTTP/1.9 with a length": head("Content-Length: 3", start="POST / HTTP/1.9") + b"abc",
    "HTTP/1.5, chunked": head("Transfer-Encoding: chunked", start="POST / HTTP/1.5")
    + b"3\r\nabc\r\n0\r\n\r\n",
    "repeated field": head("User-Agent: a", "User-Agent: b"),
    "blanks before a chunk extension": chunks(b"3 \t;a=b\r\nabc\r\n0 ; x\r\n\r\n"),
}


@pytest.mark.parametrize("name", ALLOWED)
async def test_unusual_but_clear_request_is_served(tmp_path, name):
    async with started(tmp_path) as (proxy, member), proxy.client() as client:
        reply = await client.ask(ALLOWED[name] + get("/next"))
        assert reply.status == 200
        assert (await client.reply()).body.startswith(b"GET /next")
        assert len(member.requests) == 2
