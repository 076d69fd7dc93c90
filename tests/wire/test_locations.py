"""References and cookies of members behind a rewrite: clients see their own paths and hosts."""

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.wire.cached import caching

SHOP = {"rewrite": {"strip_prefix": "/shop"}}


def moved(*fields):
    return response(b"", *fields, status=302)


async def fields_of(tmp_path, reply, request, **settings):
    """The response's fields, and the request as the member got it."""
    async with (
        Member(answering(reply)) as member,
        serving(tmp_path, config(member.address, **settings)) as proxy,
        proxy.client() as client,
    ):
        return await client.ask(request), member.requests[0]


async def test_location_and_cookies_get_the_prefix_that_was_stripped(tmp_path):
    cookies = ["Set-Cookie: a=1; Path=/; HttpOnly", "Set-Cookie: b=2; Path=/cart", "Set-Cookie: c=3"]
    reply = moved("Location: /login?next=/", "Content-Location: /a", "Refresh: 0; url=/b", *cookies)
    answer, request = await fields_of(tmp_path, reply, get("/shop/x"), route=SHOP)
    assert request[b"x-forwarded-prefix"] == b"/shop"
    assert answer[b"location"] == b"/shop/login?next=/"
    assert answer[b"content-location"] == b"/shop/a"
    assert answer[b"refresh"] == b"0; url=/shop/b"
    assert answer.all(b"set-cookie") == [b"a=1; Path=/shop; HttpOnly", b"b=2; Path=/shop/cart", b"c=3"]


async def test_address_of_the_member_becomes_the_clients_host(tmp_path):
    async with Member() as member:
        member._script = answering(moved(f"Location: http://{member.address}/x"))
        async with serving(tmp_path, config(member.address, route=SHOP)) as proxy, proxy.client() as client:
            answer = await client.ask(get("/shop/a", host="www.example.com:8080"))
    assert answer[b"location"] == b"http://www.example.com:8080/shop/x"


async def test_location_with_the_prefix_is_not_prefixed_again(tmp_path):
    reply = moved("Location: /shop/login", "Set-Cookie: a=1; Path=/shop")
    answer, _ = await fields_of(tmp_path, reply, get("/shop/x"), route=SHOP)
    assert (answer[b"location"], answer[b"set-cookie"]) == (b"/shop/login", b"a=1; Path=/shop")


async def test_location_stays_for_a_path_without_the_prefix(tmp_path):
    answer, _ = await fields_of(tmp_path, moved("Location: /login"), get("/other"), route=SHOP)
    assert answer[b"location"] == b"/login"


async def test_locations_false_leaves_every_field_alone(tmp_path):
    route = {"rewrite": {"strip_prefix": "/shop", "locations": False}}
    reply = moved("Location: /login", "Set-Cookie: a=1; Path=/")
    answer, _ = await fields_of(tmp_path, reply, get("/shop/x"), route=route)
    assert (answer[b"location"], answer[b"set-cookie"]) == (b"/login", b"a=1; Path=/")


async def test_locations_true_shows_the_clients_host_without_any_other_rewrite(tmp_path):
    async with Member() as member:
        member._script = answering(moved(f"Location: http://{member.address}/x"))
        mapping = config(member.address, route={"rewrite": {"locations": True}})
        async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
            answer = await client.ask(get("/a", host="www.example.com"))
    assert answer[b"location"] == b"http://www.example.com/x"


async def test_host_of_a_rewrite_becomes_the_clients(tmp_path):
    reply = moved("Location: http://shop.internal/x", "Set-Cookie: a=1; Domain=shop.internal; Path=/")
    route = {"rewrite": {"host": "shop.internal"}}
    answer, _ = await fields_of(tmp_path, reply, get("/a", host="www.example.com"), route=route)
    assert answer[b"location"] == b"http://www.example.com/x"
    assert answer[b"set-cookie"] == b"a=1; Domain=www.example.com; Path=/"


@pytest.mark.parametrize("host", ["inner", "public.example"])
async def test_host_and_scheme_that_a_trusted_proxy_names_are_the_clients(tmp_path, host):
    fields = ["X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: public.example"]
    answer, _ = await fields_of(
        tmp_path,
        moved(f"Location: http://{host}/x"),
        get("/shop/x", *fields, host="inner"),
        route=SHOP,
        trusted_proxies=["127.0.0.0/8"],
    )
    assert answer[b"location"] == b"https://public.example/shop/x"


async def test_stored_response_is_right_for_every_host_that_asks(tmp_path):
    reply = response(b"x", "Cache-Control: max-age=100", "Content-Location: /x")
    async with caching(tmp_path, reply, route=SHOP, key={"headers": []}) as cached:
        for host in ("a.example", "b.example", "a.example"):
            answer = await cached.get("/shop/x", host=host)
            assert answer[b"content-location"] == b"/shop/x"
        assert len(cached.asked) == 2


async def test_hit_is_rewritten_for_the_client_that_asks(tmp_path):
    prefixed = {"rewrite": {"strip_prefix": "/shop"}}
    reply = response(b"x", "Cache-Control: max-age=100", "Link: <http://shop.example/x>; rel=next", "Vary: X")
    async with caching(tmp_path, reply, route=prefixed) as cached:
        for _ in range(2):
            answer = await cached.get("/shop/x", host="shop.example")
            assert answer[b"link"] == b"<http://shop.example/shop/x>; rel=next"
        assert len(cached.asked) == 1


async def test_unsafe_request_outdates_the_location_that_the_client_sees(tmp_path):
    fresh = response(b"x", "Cache-Control: max-age=100")
    created = response(b"", "Location: /b", status=201)
    reply = lambda request: created if request.method == "POST" else fresh  # noqa: E731
    async with caching(tmp_path, reply, route=SHOP) as cached:
        await cached.get("/shop/b")
        await cached.get("/shop/a", method="POST")
        await cached.get("/shop/b")
        assert [request.target for request in cached.asked] == ["/b", "/a", "/b"]


PLUGINS = """
from adc.plugin import Context, NoOptions, Plugin, Response


class Seen(Plugin[NoOptions]):
    name = "seen"

    def request_head(self, context: Context):
        if context.request.path == "/shop/own":
            return Response(302, {"Location": "/own"})

    def response_head(self, context: Context) -> None:
        context.response.headers.add(b"X-Seen", context.response.headers.get(b"location") or b"")


class Answers(Plugin[NoOptions]):
    name = "answers"

    def request_head(self, context: Context):
        if context.request.path == "/shop/own":
            return Response(302, {"Location": "/own"})
"""


@pytest.mark.parametrize("plugins", [["seen"], ["answers"], ["seen", "answers"]])
async def test_plugins_see_the_clients_locations_and_answer_with_their_own(tmp_path, plugins):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "seen.py").write_text(PLUGINS)
    settings = {"route": {**SHOP, "plugins": plugins}, "plugin_paths": [str(tmp_path / "plugins")]}
    async with (
        Member(answering(moved("Location: /x"))) as member,
        serving(tmp_path, config(member.address, **settings)) as proxy,
        proxy.client() as client,
    ):
        passed = await client.ask(get("/shop/a"))
        assert passed[b"location"] == b"/shop/x"
        assert passed.all(b"x-seen") == ([b"/shop/x"] if "seen" in plugins else [])
        own = await client.ask(get("/shop/own"))
        assert own[b"location"] == b"/own"


@pytest.mark.parametrize(
    ("destination", "sent"),
    [
        ("http://www.example.com/shop/b%20c", b"http://www.example.com/b%20c"),
        ("https://www.example.com/shop/b", b"http://www.example.com/b"),
        ("/shop/b", b"/b"),
        ("http://other.example/shop/b", b"http://other.example/shop/b"),
    ],
)
async def test_destination_is_the_members_url(tmp_path, destination, sent):
    request = get("/shop/a", f"Destination: {destination}", method="MOVE", host="www.example.com")
    _, seen = await fields_of(tmp_path, response(b"", status=201), request, route=SHOP)
    assert seen[b"destination"] == sent


@pytest.mark.parametrize(
    "destination", ["http://www.example.com/other", "/shop/../other", "/shop/%2e%2e/%2e%2e/x", "/shop/..;/x"]
)
async def test_destination_outside_of_the_prefix_is_refused(tmp_path, member, destination):
    request = get("/shop/a", f"Destination: {destination}", method="COPY", host="www.example.com")
    mapping = config(member.address, route=SHOP)
    async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
        assert (await client.ask(request)).status == 400
    assert not member.requests


async def test_destination_has_the_host_and_scheme_of_the_members(tmp_path):
    route = {"rewrite": {"host": "dav.internal:81", "add_prefix": "/dav"}}
    request = get("/a", "Destination: http://www.example.com/b", method="MOVE", host="www.example.com")
    _, seen = await fields_of(tmp_path, response(b"", status=201), request, route=route)
    assert seen[b"destination"] == b"http://dav.internal:81/dav/b"
