"""Error pages by class and route, and in place of the application's own errors, over sockets."""

import contextlib
import gzip
import json

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.ports import free_port
from tests.kit.proxy import config, serving


@contextlib.asynccontextmanager
async def before(folder, reply, route=None, **top):
    """A proxy with pages in front of a member that gives `reply`."""
    (folder / "run").mkdir()
    for name in ("4xx", "5xx", "404"):
        (folder / "run" / f"{name}.html").write_text(f"page {name} {{{{ status }}}} {{{{ request_id }}}}")
    async with Member(answering(reply)) as member:
        mapping = config(member.address, route=route, **top)
        async with serving(folder / "run", mapping) as proxy, proxy.client() as client:
            yield proxy, client


async def asked(folder, reply, route, *fields, method="GET", **top):
    async with before(folder, reply, route, **top) as (_, client):
        answer = await client.ask(get("/", *fields, method=method), method)
        again = await client.ask(get("/", *fields, method=method), method)
        assert again.status == answer.status
        return answer


OWN = {"error_pages": {"5xx": "5xx.html"}, "intercept": True}
BROKEN = response(
    b"stack trace of the application",
    "Content-Type: text/html",
    "Content-Language: en",
    'ETag: "a"',
    "Retry-After: 7",
    "Set-Cookie: a=1",
    "WWW-Authenticate: Basic",
    "Cache-Control: max-age=1",
    status=500,
)


async def test_the_page_replaces_content_and_keeps_status_and_other_fields(tmp_path):
    reply = await asked(tmp_path, BROKEN, OWN)
    assert reply.status == 500
    assert reply.body == b"page 5xx 500 " + reply[b"x-request-id"]
    assert reply[b"content-length"] == b"%d" % len(reply.body)
    assert reply[b"content-type"] == b"text/html; charset=utf-8"
    for name, value in (
        (b"retry-after", b"7"),
        (b"set-cookie", b"a=1"),
        (b"www-authenticate", b"Basic"),
        (b"cache-control", b"max-age=1"),
    ):
        assert reply[name] == value
    assert b"etag" not in reply
    assert b"content-language" not in reply


async def test_head_has_the_length_of_the_page(tmp_path):
    reply = await asked(tmp_path, response(b"", status=500), OWN, method="HEAD")
    assert (reply.status, reply.body) == (500, b"")
    assert int(reply[b"content-length"]) > 10


async def test_statuses_without_a_page_pass(tmp_path):
    reply = await asked(tmp_path, response(b"not here", status=404), OWN)
    assert (reply.status, reply.body) == (404, b"not here")


async def test_successes_pass(tmp_path):
    assert (await asked(tmp_path, response(b"fine"), OWN)).body == b"fine"


async def test_a_list_of_statuses_gets_the_built_in_page_where_none_is_named(tmp_path):
    reply = await asked(tmp_path, response(b"not here", status=404), {"intercept": [404]})
    assert reply.status == 404
    assert b"Not Found" in reply.body
    assert b"not here" not in reply.body


async def test_true_covers_the_pages_of_all_routes(tmp_path):
    reply = await asked(
        tmp_path, response(b"x", status=410), {"intercept": True}, error_pages={"4xx": "4xx.html"}
    )
    assert reply.body.startswith(b"page 4xx 410")


async def test_without_intercept_the_application_answers_itself(tmp_path):
    assert (await asked(tmp_path, BROKEN, {"error_pages": {"5xx": "5xx.html"}})).body.startswith(b"stack")


async def test_clients_that_prefer_json_get_json(tmp_path):
    reply = await asked(tmp_path, BROKEN, OWN, "Accept: application/json")
    assert json.loads(reply.body)["status"] == 500
    assert reply[b"content-type"] == b"application/json"
    assert b"Accept" in reply[b"vary"]


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json; charset=utf-8"])
async def test_json_stays_json_for_clients_that_do_not_say(tmp_path, kind):
    member = response(b'{"trace": "secret"}', f"Content-Type: {kind}", status=503)
    reply = await asked(tmp_path, member, OWN, "Accept: */*")
    assert json.loads(reply.body)["status"] == 503
    assert b"secret" not in reply.body


async def test_content_in_pieces_is_dropped_and_the_connection_kept(tmp_path):
    member = (
        b"HTTP/1.1 500 Broken\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n"
        b"5\r\nstack\r\n400\r\n" + b"x" * 1024 + b"\r\n0\r\nX-A: 1\r\n\r\n"
    )
    reply = await asked(tmp_path, member, OWN, "TE: trailers", "Connection: TE")
    assert reply.body.startswith(b"page 5xx")
    assert b"transfer-encoding" not in reply


async def test_compression_comes_after_the_page_and_the_members_coding_goes(tmp_path):
    member = response(
        gzip.compress(b"stack"), "Content-Encoding: gzip", "Content-Type: text/html", status=500
    )
    route = {**OWN, "compression": {"min_size": "1B"}}
    reply = await asked(tmp_path, member, route, "Accept-Encoding: gzip")
    assert reply[b"content-encoding"] == b"gzip"
    assert gzip.decompress(reply.body).startswith(b"page 5xx")


async def test_a_cached_error_is_replaced_for_each_client(tmp_path):
    member = response(b"gone", "Cache-Control: max-age=60", status=404)
    route = {"cache": True, "error_pages": {"404": "404.html"}, "intercept": True}
    async with before(tmp_path, member, route) as (_, client):
        first, second = await client.ask(get()), await client.ask(get())
        assert b"hit" in second[b"cache-status"]
        assert first.body.startswith(b"page 404")
        assert second.body == b"page 404 404 " + second[b"x-request-id"]
        assert first.body != second.body


async def test_errors_made_here_use_the_pages_of_the_route(tmp_path):
    (tmp_path / "run").mkdir()
    for name in ("route", "all"):
        (tmp_path / "run" / f"{name}.html").write_text(name)
    mapping = config(
        f"127.0.0.1:{free_port()}",
        route={"match": {"path": "/a/"}, "error_pages": {"5xx": "route.html"}},
        error_pages={"4xx": "all.html", "5xx": "all.html"},
    )
    async with serving(tmp_path / "run", mapping) as proxy, proxy.client() as client:
        assert (await client.ask(get("/a/"))).body == b"route"
        assert (await client.ask(get("/b"))).body == b"all"


async def test_files_use_the_pages_of_the_route(tmp_path):
    (tmp_path / "run" / "site").mkdir(parents=True)
    (tmp_path / "run" / "404.html").write_text("lost")
    mapping = {
        "listeners": [{"name": "web", "bind": "127.0.0.1:0"}],
        "routes": [{"files": "site", "error_pages": {"404": "404.html"}}],
    }
    async with serving(tmp_path / "run", mapping) as proxy, proxy.client() as client:
        reply = await client.ask(get("/none"))
        assert (reply.status, reply.body) == (404, b"lost")
        as_json = await client.ask(get("/none", "Accept: application/json"))
        assert json.loads(as_json.body)["status"] == 404


@contextlib.asynccontextmanager
async def responding(folder, respond, **route):
    (folder / "run").mkdir()
    (folder / "run" / "4xx.html").write_text("page {{ status }} {{ request_id }}")
    mapping = {
        "listeners": [{"name": "web", "bind": "127.0.0.1:0"}],
        "routes": [{"respond": respond, **route}],
    }
    async with serving(folder / "run", mapping) as proxy, proxy.client() as client:
        yield client


async def test_error_that_a_route_responds_with_has_its_page(tmp_path):
    respond = {"status": 403, "headers": {"x-why": "closed", "cache-control": "max-age=9"}}
    async with responding(tmp_path, respond) as client:
        reply = await client.ask(get())
        assert (reply.status, reply[b"x-why"], reply[b"cache-control"]) == (403, b"closed", b"max-age=9")
        assert reply[b"content-type"].startswith(b"text/html")
        assert reply[b"x-request-id"] in reply.body
        head = await client.ask(get(method="HEAD"), "HEAD")
        assert (head.status, head[b"content-length"]) == (403, b"%d" % len(reply.body))
        reply = await client.ask(get("/", "Accept: application/json"))
        assert json.loads(reply.body)["status"] == 403


async def test_error_that_a_route_responds_with_has_the_page_of_the_route(tmp_path):
    async with responding(tmp_path, 404, error_pages={"4xx": "4xx.html"}) as client:
        reply = await client.ask(get())
        assert reply.body == b"page 404 " + reply[b"x-request-id"]


@pytest.mark.parametrize(
    "respond",
    [{"status": 403, "body": ""}, {"status": 403, "headers": {"content-type": "text/plain"}}, 299],
)
async def test_content_that_a_route_states_is_not_replaced_by_a_page(tmp_path, respond):
    async with responding(tmp_path, respond) as client:
        assert (await client.ask(get())).body == b""


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n", b"destination_not_found"),
        (b"GET /closed HTTP/1.1\r\nHost: a\r\n\r\n", b"http_request_denied"),
        (b"GET /closed HTTP/1.1\r\n\r\n", b"http_request_error"),
        (b"TRACE /closed HTTP/1.1\r\nHost: a\r\n\r\n", b"http_request_error"),
        (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", b"http_request_error"),
        (
            b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 9000),
            b'http_request_error; details="limit_target"',
        ),
    ],
    ids=["no route", "denied", "no Host", "method", "version", "target"],
)
async def test_every_error_made_here_has_its_type_in_proxy_status(tmp_path, data, error):
    async with responding(tmp_path, 403, match={"path": "/closed"}) as client:
        assert (await client.ask(data))[b"proxy-status"] == b"adc; error=" + error
