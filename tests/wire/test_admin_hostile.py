"""Malformed requests to the admin server of a real service: each is answered, none leaves a traceback."""

import asyncio
import json
import socket
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wire.service import PATIENCE, Service

CONFIG = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes: [{match: {path: /x/}, pool: sticky, cache: true}, {pool: app}]
pools:
  app: {members: [127.0.0.1:1]}
  sticky: {members: [127.0.0.1:1], persistence: {source: {timeout: 1m}}}
state: {backend: memory}
admin: {bind: "@admin"}
"""
PATHS = (
    "/",
    "/api/v1/status",
    "/api/v1/routes",
    "/api/v1/members",
    "/api/v1/members/app/127.0.0.1:1",
    "/api/v1/members/%ff/%00",
    "/api/v1/sessions",
    "/api/v1/cache",
    "/api/v1/cache/purge",
    "/api/v1/cache/why",
    "/metrics",
    "/readyz",
    "/nowhere",
)
PARAMETERS = (
    "pool",
    "client",
    "member",
    "min_age",
    "max_age",
    "limit",
    "cursor",
    "all",
    "url",
    "method",
    "header",
)
VALUES = st.one_of(
    st.sampled_from(
        (
            *(
                "nan",
                "inf",
                "-1",
                "1e999",
                "9" * 5000,
                "%ff",
                "%",
                "%00",
                "%0d%0a",
                "%ed%a0%80",
                "app",
                "sticky",
            ),
            *(
                "zz:sticky",
                "http://a/",
                "http://[::1/",
                "http://a:99999999/",
                "//",
                "a: b",
                ":",
                "a%0d%0ab: c",
            ),
            "http://a/%ff",
        )
    ),
    st.text(max_size=8).map(lambda text: quote(text, errors="replace")),
)
JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["drain", "\ud800", "http://a/", "http://\ud800/", "http://[/", "\x00", "site"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["state", "url", "prefix", "tag", "all", "soft", "store", "\ud800"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
BODIES = st.one_of(
    JSONS.map(json.dumps).map(str.encode),
    st.binary(max_size=40),
    st.sampled_from(
        [b"[" * 60_000, b'{"a":' * 9000, b"9" * 9000, b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"x" * 70_000]
    ),
)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/json; charset=nope",
        "application/json; charset=utf-16",
        "text/plain",
        "\xff",
        "",
    ]
)


PURGE = b"POST /api/v1/cache/purge HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


def exchange(port, data):
    """The status of the answer to `data`, 0 if the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while more := client.recv(65536):
            answer += more
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("admin"))
    service.write(CONFIG)
    asyncio.run(service.started())
    yield service
    service.close()


def requests(draw):
    method = draw(st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS"]))
    query = draw(st.lists(st.tuples(st.sampled_from(PARAMETERS), VALUES), max_size=3))
    target = draw(st.sampled_from(PATHS)) + (
        "?" + "&".join(f"{name}={value}" for name, value in query) if query else ""
    )
    body = draw(BODIES) if method in ("POST", "PUT", "DELETE") else b""
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {draw(TYPES)}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@given(st.composite(requests)())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_leaves_a_traceback(service, request_bytes):
    status = exchange(service.admin, request_bytes)
    assert status == 0 or status < 500, request_bytes
    assert "Traceback" not in service.log.read_text()


@pytest.mark.parametrize(
    "head",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: b\r\n\r\n",
        b"GET http://[::1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        PURGE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        PURGE + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        PURGE + b"Content-Length: 40\r\n\r\n{",
    ],
    ids=lambda head: head[:24],
)
def test_malformed_http_leaves_no_traceback(service, head):
    assert exchange(service.admin, head) < 500
    assert "Traceback" not in service.log.read_text()
