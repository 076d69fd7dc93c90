"""What one client was sent does not reach another by a route's stale windows or by waiting for its fetch."""

import asyncio

import pytest

from tests.kit.client import get
from tests.kit.member import response
from tests.kit.waiting import eventually
from tests.wire.cached import caching, date, told

WINDOWS = {"stale_while_revalidate": "300s", "stale_if_error": "300s"}
NEVER_FRESH = [
    (),
    ('ETag: "same"',),
    ('ETag: "same"', "Cache-Control: max-age=0"),
    ('ETag: "same"', "Expires: 0"),
    (f"Last-Modified: {date(864_000)}",),
    ('ETag: "same"', "Cache-Control: max-age=60", "Age: 60"),
    ('ETag: "same"', "Pragma: no-cache"),
]


def account(*fields):
    """A member that answers each client with its cookie, without heeding conditions."""
    return lambda request: response(b"account of " + request[b"cookie"], *fields)


@pytest.mark.parametrize("key", [{}, {"query": {"ignore": ["utm_*"]}, "headers": ["Accept"]}])
@pytest.mark.parametrize("disk", [False, True])
@pytest.mark.parametrize("fields", NEVER_FRESH)
async def test_second_client_gets_its_own_page_under_stale_windows(fields, disk, key, tmp_path):
    async with caching(tmp_path, account(*fields), disk=disk, key=key, **WINDOWS) as cached:
        for name in ("ann", "bob", "ann"):
            reply = await cached.get("/account", f"Cookie: {name}")
            assert reply.body == b"account of " + name.encode()


@pytest.mark.parametrize("fields", NEVER_FRESH)
async def test_second_client_gets_the_error_and_not_the_first_ones_page(fields, tmp_path):
    replies = (account(*fields), response(b"down", status=503))
    async with caching(tmp_path, *replies, **WINDOWS, route={"retries": False}) as cached:
        await cached.get("/account", "Cookie: ann")
        assert (await cached.get("/account", "Cookie: bob")).status == 503


@pytest.mark.parametrize("fields", NEVER_FRESH)
async def test_clients_that_waited_for_the_first_ones_fetch_are_answered_their_own(fields, tmp_path):
    async with caching(tmp_path, account(*fields), **WINDOWS) as cached:

        async def ask(name):
            async with cached.proxy.client() as client:
                return (await client.ask(get("/account", f"Cookie: {name}"))).body

        names = [f"client{number}" for number in range(6)]
        assert await asyncio.gather(*map(ask, names)) == [b"account of " + name.encode() for name in names]


async def test_304_that_ends_the_lifetime_ends_the_stale_window(tmp_path):
    def reply(request):
        if b"if-none-match" in request and request[b"cookie"] == b"ann":
            return response(b"", 'ETag: "a"', "Cache-Control: max-age=0", status=304, length=False)
        return response(request[b"cookie"], 'ETag: "a"', "Cache-Control: max-age=60", "Age: 59")

    async with caching(tmp_path, reply, **WINDOWS) as cached:
        await cached.get("/", "Cookie: ann")
        assert "fwd-status=304" in told(await cached.get("/", "Cookie: ann", "Cache-Control: no-cache"))
        assert (await cached.get("/", "Cookie: bob")).body == b"bob"


async def test_unknown_request_directive_is_answered_stale_and_refreshes(tmp_path):
    fields = ("Cache-Control: max-age=10, stale-while-revalidate=60", "Age: 20", 'ETag: "a"')
    later = response(b"new", "Cache-Control: max-age=10")
    async with caching(tmp_path, response(b"old", *fields), later) as cached:
        await cached.get()
        assert (await cached.get("/", "Cache-Control: no-store, foo=bar")).body == b"old"
        await eventually(lambda: len(cached.asked) == 2 and not cached.store.users)
        assert (await cached.get()).body == b"new"


@pytest.mark.parametrize("fields", [("ETag: a",), ("ETag: a", "Cache-Control: max-age=0")])
async def test_client_that_accepts_stale_responses_does_not_get_another_clients(fields, tmp_path):
    replies = (account(*fields), response(b"down", status=503))
    async with caching(tmp_path, *replies, **WINDOWS, route={"retries": False}) as cached:
        await cached.get("/account", "Cookie: ann")
        wish = "Cache-Control: max-stale, stale-if-error=99"
        assert (await cached.get("/account", "Cookie: bob", wish)).status == 503


MALFORMED = [
    "Cache-Control: private; max-age=60",
    "Cache-Control: max-age=60; private",
    "Cache-Control: no-store; no-cache",
    "Cache-Control: no-cache no-store must-revalidate",
    "Cache-Control: max-age=60, foo private",
    'Cache-Control: "private"',
    "Pragma: x; no-cache",
    "Vary: Cookie;x",
    'Vary: "Cookie"',
    "Vary: Accept Cookie",
]


@pytest.mark.parametrize("field", MALFORMED)
async def test_restrictions_with_other_separators_than_commas_restrict(field, tmp_path):
    async with caching(tmp_path, account(field, 'ETag: "a"'), default_ttl="1h", **WINDOWS) as cached:
        for name in ("ann", "bob"):
            assert (await cached.get("/account", f"Cookie: {name}")).body == b"account of " + name.encode()


@pytest.mark.parametrize(
    "fields", [("Cache-Control: must-revalidate",), ("Cache-Control: must-revalidate", 'ETag: "a"')]
)
async def test_default_ttl_does_not_share_responses_to_authorization(fields, tmp_path):
    def reply(request):
        return response(b"for " + b"".join(request.all(b"authorization")), *fields)

    async with caching(tmp_path, reply, default_ttl="1h", **WINDOWS) as cached:
        await cached.get("/account", "Authorization: Basic YW5u")
        assert (await cached.get("/account")).body == b"for "
