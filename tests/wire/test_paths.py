"""The path that a member receives: as the client sent it, unless it could lead past the routes."""

import pytest

from tests.kit.client import get, post
from tests.kit.member import response
from tests.kit.proxy import config, serving
from tests.wire.cached import caching

DENY = {"name": "deny", "match": {"path": "/admin/"}, "respond": 403}
AS_SENT = [
    "/b/a//b",
    "//lead",
    "/dot/./x",
    "/b/x/..",
    "/%41%7e",
    "/web/http://x.org/",
    "/@scope%2fname",
    "/api/queues/%2f/x",
    "/a%20b?x=%2e",
    "/a;v=1/b;w",
    "/a%3Fb%23c",
    "/100%25",
    "/a|b",
    "/?",
    "/caf%c3%a9/",
]


@pytest.mark.parametrize("target", AS_SENT)
async def test_a_member_receives_the_path_as_the_client_sent_it(tmp_path, member, target):
    setting = config(member.address)
    setting["routes"].insert(0, DENY)
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        assert (await client.ask(get(target))).status == 200
        assert member.requests[-1].target == target
        if target.startswith("//"):
            return
        assert (await client.ask(get(f"http://a{target}"))).status == 200
        assert member.requests[-1].target == target


@pytest.mark.parametrize("target", ["//admin/x", "/x/../%61dmin/", "/./admin/x"])
async def test_a_spelling_of_a_denied_path_is_denied(tmp_path, member, target):
    setting = config(member.address)
    setting["routes"].insert(0, DENY)
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        assert (await client.ask(get(target))).status == 403
    assert not member.requests


OTHERWISE = [
    "/%2fadmin/",
    "/admin%2f",
    "/admin;x/",
    "/;/admin/",
    "/%5cadmin/",
    "/%2561dmin/",
    "/%252e%252e/admin/",
    "/admin%20/",
    "/admin%0a/",
    "/admin./",
    "/admin%c0%af",
    "/x/..%252fadmin/",
    "/%2fx/admin/",
    "/admin%c2%a0/",
    "/%e2%93%90dmin/",
    "/x/%e2%80%a5/admin/",
    "/admin::$INDEX_ALLOCATION/",
    "/(S(x))/admin/",
    "/admin+/",
    "/%252e%252e/x",
]


@pytest.mark.parametrize("target", [*OTHERWISE, "/admin%00/", "/x/..%2fadmin/", "/../admin/"])
async def test_a_denied_path_is_not_reached_by_what_a_member_could_read(tmp_path, member, target):
    setting = config(member.address)
    setting["routes"].insert(0, DENY)
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        reply = await client.ask(get(target))
        assert reply.status == 400
        assert not member.requests
        if target in OTHERWISE:
            assert proxy.listener.service.refusals == {"ambiguous_path": 1}
            (record,) = proxy.access_log()
            assert (record["end_reason"], record["route"]) == ("ambiguous_path", "all")


async def test_a_refused_path_is_logged_with_the_reading_and_its_route(tmp_path, member):
    setting = config(member.address)
    setting["routes"].insert(0, DENY)
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        told = []
        proxy.listener.service.error_log.warn = lambda event, **fields: told.append((event, fields))
        await client.ask(get("/admin%2f"))
        ((event, fields),) = told
        assert (event, fields["reason"]) == ("request_refused", "ambiguous_path")
        assert fields["detail"] == "the path can be read as /admin/, which route deny takes instead of all"


async def test_a_route_may_let_other_readings_pass(tmp_path, member):
    setting = config(member.address, route={"ambiguous_paths": "pass"})
    setting["routes"].insert(0, DENY)
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        assert (await client.ask(get("/admin%2f"))).status == 200
        assert member.requests[-1].target == "/admin%2f"


@pytest.mark.parametrize(
    ("normalize", "target", "sent"),
    [
        ("match", "//api/x", "/api/x"),
        ("match", "/api//x", "/api//x"),
        ("send", "/api//x?q", "/api/x?q"),
        ("send", "/api/%41", "/api/A"),
        ("off", "/api//x", "/api//x"),
    ],
)
async def test_normalize_says_which_form_the_member_receives(tmp_path, member, normalize, target, sent):
    route = {"match": {"path": "/api/"}, "normalize": normalize}
    async with serving(tmp_path, config(member.address, route=route)) as proxy, proxy.client() as client:
        assert (await client.ask(get(target))).status == 200
        assert member.requests[-1].target == sent
        status = (await client.ask(get("/x/../api/y"))).status
        assert status == (404 if normalize == "off" else 200)


async def test_letter_case_does_not_count_where_a_rule_says_so(tmp_path, member):
    setting = config(member.address)
    setting["routes"].insert(0, DENY | {"match": {"path": {"prefix": "/admin/", "ignore_case": True}}})
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        assert (await client.ask(get("/ADMIN/x"))).status == 403
        assert (await client.ask(get("/AdMin%2f"))).status == 400
        assert (await client.ask(get("/administration"))).status == 200


@pytest.mark.parametrize("prefix", ["", "/p"])
async def test_path_readable_as_a_host_is_not_sent_before_a_denied_path(tmp_path, member, prefix):
    rewrite = {"rewrite": {"strip_prefix": prefix}} if prefix else {}
    setting = config(member.address, route=rewrite)
    setting["routes"].insert(0, DENY | {"match": {"path": f"{prefix}/admin/"}})
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        assert (await client.ask(get(f"{prefix}//x/admin/"))).status == 200
        assert member.requests[-1].target == "/x/admin/"
        assert (await client.ask(get(f"{prefix}//x/y"))).status == 200
        assert member.requests[-1].target == "//x/y"


async def test_a_stripped_prefix_leaves_the_rest_as_sent(tmp_path, member):
    route = {"match": {"path": "/web/"}, "rewrite": {"strip_prefix": "/web"}}
    async with serving(tmp_path, config(member.address, route=route)) as proxy, proxy.client() as client:
        await client.ask(get("/web/http://x.org/%41?a//b"))
        assert member.requests[-1].target == "/http://x.org/%41?a//b"


@pytest.mark.parametrize("target", ["/a//b?x", "/%41/./b", "//lead"])
async def test_redirects_keep_the_path_as_sent(tmp_path, target):
    setting = config(listener={"redirect_to_https": True})
    setting["routes"] = [{"redirect": {"to": "https://other{path}"}}]
    setting["listeners"].append({"name": "plain", "bind": "127.0.0.1:0"})
    del setting["pools"]
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        assert (await client.ask(get(target)))[b"location"].decode() == f"https://a{target}"
    setting["listeners"].pop()
    del setting["listeners"][0]["redirect_to_https"]
    async with serving(tmp_path / "2", setting) as proxy, proxy.client() as client:
        assert (await client.ask(get(target)))[b"location"].decode() == f"https://other{target}"


async def test_the_cache_keeps_apart_what_the_member_keeps_apart(tmp_path):
    fresh = "Cache-Control: max-age=100"
    async with caching(tmp_path, lambda request: response(request.target.encode(), fresh)) as cached:
        for target in ("/a/b", "/a//b", "/a/./b", "/%61/b", "/a%2fb", "/a%2Fb"):
            for _ in range(2):
                assert (await cached.get(target)).body == target.encode()
        assert len(cached.asked) == 6


async def test_the_cache_does_not_keep_apart_what_is_sent_in_normal_form(tmp_path):
    fresh, route = "Cache-Control: max-age=100", {"normalize": "send"}
    page = lambda request: response(request.target.encode(), fresh)  # noqa: E731
    async with caching(tmp_path, page, route=route) as cached:
        for target in ("/a/b", "/a//b", "/%61/./b"):
            assert (await cached.get(target)).body == b"/a/b"
        assert len(cached.asked) == 1


async def test_a_purge_drops_the_path_as_it_was_sent(tmp_path):
    fresh = "Cache-Control: max-age=100"
    purge = {"from": ["127.0.0.0/8"]}
    async with caching(tmp_path, lambda request: response(b"x", fresh), purge=purge) as cached:
        await cached.get("/a/b")
        await cached.get("/a//b")
        assert (await cached.get("/a//b", method="PURGE")).body == b"purged 1\n"
        await cached.get("/a/b")
        await cached.get("/a//b")
        assert [request.target for request in cached.asked] == ["/a/b", "/a//b", "/a//b"]


async def test_an_unsafe_request_outdates_the_path_as_it_was_sent(tmp_path):
    fresh = "Cache-Control: max-age=100"
    async with caching(tmp_path, lambda request: response(b"x", fresh)) as cached:
        await cached.get("/a/b")
        await cached.get("/a//b")
        await cached.client.ask(post(b"x", target="/a//b"))
        await cached.get("/a/b")
        await cached.get("/a//b")
        assert [request.target for request in cached.asked] == ["/a/b", "/a//b", "/a//b", "/a//b"]


@pytest.mark.parametrize("lie", [[], ["X-Forwarded-Prefix: /evil"]])
async def test_the_prefix_that_a_member_is_told_does_not_prevent_caching(tmp_path, lie):
    fresh, route = "Cache-Control: max-age=100", {"rewrite": {"strip_prefix": "/api"}}
    page = lambda request: response(request[b"x-forwarded-prefix"], fresh)  # noqa: E731
    async with caching(tmp_path, page, route=route) as cached:
        for _ in range(2):
            assert (await cached.get("/api/x", *lie)).body == b"/api"
        assert len(cached.asked) == 1
