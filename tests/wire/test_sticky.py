"""Clients stay on their members: every mode over real sockets."""

import asyncio
import contextlib
from collections import Counter

import pytest

from adc.runtime.operations import sessions
from adc.runtime.operations.sessions import Wanted
from tests.kit.client import get
from tests.kit.member import OK, Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

HOUR = {"timeout": "1h"}


def named(name, *fields):
    """A member that says who it is."""
    return answering(response(name.encode(), *fields))


@contextlib.asynccontextmanager
async def sticky(folder, persistence, *, count=3, fields=(), state="memory", pool=None, **top):
    """A proxy in front of members `m0`, `m1` and so on, which all set `fields`."""
    async with contextlib.AsyncExitStack() as stack:
        members = [await stack.enter_async_context(Member(named(f"m{n}", *fields))) for n in range(count)]
        mapping = config(
            *(member.address for member in members),
            pool={"persistence": persistence, **(pool or {})},
            state={"backend": state, "path": str(folder / "state")} if state == "local" else state,
            **top,
        )
        yield await stack.enter_async_context(serving(folder, mapping)), members


def cookie_of(reply):
    """The name and value of the only cookie that a reply sets."""
    return reply[b"set-cookie"].partition(b";")[0].decode()


async def test_inserted_cookie_keeps_the_client_and_never_reaches_the_member(tmp_path):
    async with sticky(tmp_path, {"cookie": HOUR}) as (proxy, members), proxy.client() as client:
        first = await client.ask(get())
        cookie = cookie_of(first)
        assert cookie.startswith("ADCSESSION_")
        assert b"HttpOnly; SameSite=Lax" in first[b"set-cookie"]
        for _ in range(9):
            reply = await client.ask(get("/", f"Cookie: a=1; {cookie}; b=2"))
            assert reply.body == first.body
            assert b"set-cookie" not in reply
        seen = members[int(first.body[1:])].requests[-1]
        assert seen[b"cookie"] == b"a=1; b=2"


async def test_cookies_of_two_pools_on_one_host_live_beside_each_other(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        members = [await stack.enter_async_context(Member(named(f"m{n}"))) for n in range(4)]
        mapping = config(members[0].address, state="memory")
        mapping["pools"] = {
            name: {"persistence": {"cookie": HOUR}, "members": [member.address for member in part]}
            for name, part in (("a", members[:2]), ("b", members[2:]))
        }
        mapping["routes"] = [
            {"match": {"path": "/a/"}, "pool": "a"},
            {"match": {"path": "/b/"}, "pool": "b"},
        ]
        proxy = await stack.enter_async_context(serving(tmp_path, mapping))
        client = await stack.enter_async_context(proxy.client())
        jar, seen = {}, []
        for path in ("/a/", "/b/") * 3:
            fields = [f"Cookie: {'; '.join(f'{name}={value}' for name, value in jar.items())}"] if jar else []
            reply = await client.ask(get(path, *fields))
            seen.append(reply.body)
            if b"set-cookie" in reply:
                name, _, value = cookie_of(reply).partition("=")
                jar[name] = value
        assert len(jar) == 2
        assert set(seen[::2]) == {seen[0]}
        assert set(seen[1::2]) == {seen[1]}


async def test_clients_without_a_cookie_are_spread(tmp_path):
    async with sticky(tmp_path, {"cookie": HOUR}) as (proxy, _), proxy.client() as client:
        seen = Counter([(await client.ask(get())).body for _ in range(9)])
        assert seen == {b"m0": 3, b"m1": 3, b"m2": 3}


@pytest.mark.parametrize("state", ["memory", "local"])
async def test_source_keeps_all_connections_of_a_client_on_one_member(tmp_path, state):
    persistence = {"source": {"timeout": "10m"}}
    async with sticky(tmp_path, persistence, state=state, trusted_proxies=["127.0.0.1"]) as (proxy, _):
        seen = {}
        for _ in range(3):
            async with proxy.client() as client:
                for number in range(12):
                    reply = await client.ask(get("/", f"X-Forwarded-For: 192.0.2.{number}"))
                    assert seen.setdefault(number, reply.body) == reply.body
        assert set(Counter(seen.values()).values()) == {4}


async def test_header_keeps_each_user_on_one_member_and_others_are_spread(tmp_path):
    async with sticky(tmp_path, {"header": {"name": "x-user"}}) as (proxy, _), proxy.client() as client:
        for user in ("ann", "bob", "ann", "bob"):
            replies = {(await client.ask(get("/", f"X-User: {user}"))).body for _ in range(4)}
            assert len(replies) == 1
        assert len({(await client.ask(get())).body for _ in range(3)}) == 3


async def test_session_of_the_application_is_learned(tmp_path):
    def application(name):
        def answer(request):
            session = f"Set-Cookie: JSESSIONID=of-{name}; Path=/"
            fields = [] if b"cookie" in request or b";" in request.start else [session]
            return response(name.encode(), *fields)

        return answering(answer)

    learned = {"learned": {"cookie": "JSESSIONID", "path_parameter": "jsessionid"}}
    async with contextlib.AsyncExitStack() as stack:
        members = [await stack.enter_async_context(Member(application(f"m{n}"))) for n in range(3)]
        mapping = config(*(m.address for m in members), pool={"persistence": learned}, state="memory")
        proxy = await stack.enter_async_context(serving(tmp_path, mapping))
        client = await stack.enter_async_context(proxy.client())
        first = await client.ask(get())
        cookie = cookie_of(first)
        for _ in range(5):
            assert (await client.ask(get("/", f"Cookie: {cookie}"))).body == first.body
        session = cookie.partition("=")[2]
        for _ in range(5):
            assert (await client.ask(get(f"/a;jsessionid={session}?x=1"))).body == first.body
        assert len({(await client.ask(get("/", "Cookie: JSESSIONID=invented"))).body for _ in range(3)}) == 3


async def test_query_parameter_keeps_the_client(tmp_path):
    async with sticky(tmp_path, {"query": {"name": "sid"}}) as (proxy, _), proxy.client() as client:
        seen = {(await client.ask(get("/?x=1&sid=7"))).body for _ in range(5)}
        assert len(seen) == 1


@pytest.mark.parametrize("mode", ["rewrite", "prefix"])
async def test_cookie_of_the_application_carries_the_pin(tmp_path, mode):
    persistence = {"cookie": {"name": "SID", "mode": mode}}
    fields = ["Set-Cookie: SID=theirs; Path=/", "Set-Cookie: other=1"]
    async with (
        sticky(tmp_path, persistence, fields=fields) as (proxy, members),
        proxy.client() as client,
    ):
        first = await client.ask(get())
        mine, other = first.all(b"set-cookie")
        assert other == b"other=1"
        assert mine.startswith(b"SID=")
        assert mine.endswith(b"; Path=/")
        value = mine.partition(b";")[0].decode()
        assert value.endswith("~theirs") is (mode == "prefix")
        for _ in range(5):
            assert (await client.ask(get("/", f"Cookie: {value}"))).body == first.body
        seen = members[int(first.body[1:])].requests[-1]
        assert seen[b"cookie"] == (b"SID=theirs" if mode == "prefix" else value.encode())


def rejections(proxy):
    return dict(proxy.worker.runtime.sticky["app"].persistence.counts.rejected)


async def test_forged_cookie_is_ignored_counted_and_replaced(tmp_path):
    async with sticky(tmp_path, {"cookie": HOUR}) as (proxy, members), proxy.client() as client:
        cookie = cookie_of(await client.ask(get()))
        forged = cookie[:-1] + ("A" if cookie[-1] != "A" else "B")
        reply = await client.ask(get("/", f"Cookie: {forged}"))
        assert reply.status == 200
        assert cookie_of(reply).startswith("ADCSESSION_")
        name = cookie.partition("=")[0]
        await client.ask(get("/", f"Cookie: {name}={members[0].address}"))
        assert rejections(proxy) == {"forged": 1, "malformed": 1}


async def test_cookie_of_another_pool_or_of_a_removed_member_names_nobody(tmp_path):
    keys = {"cookie": {"keys": ["0123456789abcdef"]}}
    async with sticky(tmp_path / "one", keys, count=1) as (one, _), one.client() as client:
        cookie = cookie_of(await client.ask(get()))
    async with sticky(tmp_path / "two", keys) as (proxy, _), proxy.client() as client:
        reply = await client.ask(get("/", f"Cookie: {cookie}"))
        assert reply.status == 200
        assert cookie_of(reply) != cookie
        assert rejections(proxy) == {"removed": 1}


async def resets(conversation):
    await conversation.head()
    conversation.reset()


async def test_retry_elsewhere_leaves_the_pin_while_the_member_is_up(tmp_path):
    persistence = {"source": {"timeout": "10m"}}
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(Member(named("m0")))
        second = await stack.enter_async_context(Member(named("m1")))
        pool = {"persistence": persistence, "health": {"passive": False}, "balance": "first"}
        mapping = config(first.address, second.address, pool=pool, state="memory")
        proxy = await stack.enter_async_context(serving(tmp_path, mapping))
        client = await stack.enter_async_context(proxy.client())
        assert (await client.ask(get())).body == b"m0"
        first._script = resets
        for conversation in first.connections:
            conversation.reset()
        assert (await client.ask(get())).body == b"m1"
        counts = proxy.worker.runtime.sticky["app"].persistence.counts
        assert counts.moved == {}
        member = proxy.member(0)
        proxy.report_health(member.address, False)
        assert (await client.ask(get())).body == b"m1"
        assert counts.moved == {"down": 1}
        proxy.report_health(member.address, True)
        assert (await client.ask(get())).body == b"m1"


@pytest.mark.parametrize("persistence", [{"source": {"timeout": "10m"}}, {"cookie": HOUR}])
async def test_client_of_a_member_that_refuses_connections_moves_at_once(tmp_path, persistence):
    pool = {"balance": "first", "health": {"passive": False}}
    async with sticky(tmp_path, persistence, count=2, pool=pool) as (proxy, members):
        async with proxy.client() as client:
            before = await client.ask(get())
            assert before.body == b"m0"
            await members[0].__aexit__()
            moved = await client.ask(asking(before))
            assert moved.body == b"m1"
            assert (b"set-cookie" in moved) is ("cookie" in persistence)
            await members[0].__aenter__()
            assert (await client.ask(asking(moved))).body == b"m1"
        assert proxy.worker.runtime.sticky["app"].persistence.counts.moved == {"down": 1}


async def test_fallback_error_answers_503_while_the_member_is_down(tmp_path):
    persistence = {"source": {"timeout": "10m"}, "fallback": "error"}
    async with sticky(tmp_path, persistence) as (proxy, _), proxy.client() as client:
        first = await client.ask(get())
        member = proxy.member(int(first.body[1:])).address
        proxy.report_health(member, False)
        assert (await client.ask(get())).status == 503
        proxy.report_health(member, True)
        assert (await client.ask(get())).body == first.body


def set_admin(proxy, member, admin):
    proxy.set_admin(member.address, admin)


KEEPS = [{"cookie": HOUR}, {"header": {"name": "x-user"}}]


def asking(reply=None):
    """A request of ann, with the cookie that `reply` set."""
    fields = ["X-User: ann"]
    if reply is not None and b"set-cookie" in reply:
        fields.append(f"Cookie: {cookie_of(reply)}")
    return get("/", *fields)


@pytest.mark.parametrize("persistence", KEEPS)
async def test_draining_member_keeps_its_clients_and_gets_no_new_ones(tmp_path, persistence):
    async with sticky(tmp_path, persistence) as (proxy, _), proxy.client() as client:
        first = await client.ask(asking())
        counts = proxy.worker.runtime.sticky["app"].persistence.counts
        member = proxy.member(int(first.body[1:]))
        set_admin(proxy, member, "draining")
        for _ in range(3):
            assert (await client.ask(asking(first))).body == first.body
        others = {(await client.ask(get("/", f"X-User: u{n}"))).body for n in range(6)}
        assert first.body not in others
        set_admin(proxy, member, "enabled")
        assert (await client.ask(asking(first))).body == first.body
        assert counts.moved == {}


@pytest.mark.parametrize("persistence", KEEPS)
async def test_client_of_a_disabled_member_moves_once_and_does_not_return(tmp_path, persistence):
    async with sticky(tmp_path, persistence) as (proxy, _), proxy.client() as client:
        first = await client.ask(asking())
        counts = proxy.worker.runtime.sticky["app"].persistence.counts
        member = proxy.member(int(first.body[1:]))
        set_admin(proxy, member, "disabled")
        moved = await client.ask(asking(first))
        assert moved.body != first.body
        latest = moved if b"set-cookie" in moved else first
        assert (await client.ask(asking(latest))).body == moved.body
        set_admin(proxy, member, "enabled")
        assert (await client.ask(asking(latest))).body == moved.body
        assert counts.moved == {"disabled": 1}


async def test_client_of_a_draining_member_is_moved_when_it_is_disabled_or_goes_down(tmp_path):
    async with sticky(tmp_path, KEEPS[1]) as (proxy, _), proxy.client() as client:
        first = await client.ask(asking())
        member = proxy.member(int(first.body[1:]))
        set_admin(proxy, member, "draining")
        proxy.report_health(member.address, False)
        second = await client.ask(asking())
        assert second.body != first.body
        member = proxy.member(int(second.body[1:]))
        set_admin(proxy, member, "draining")
        assert (await client.ask(asking())).body == second.body
        set_admin(proxy, member, "disabled")
        assert (await client.ask(asking())).body not in (first.body, second.body)
        counts = proxy.worker.runtime.sticky["app"].persistence.counts
        assert counts.moved == {"down": 1, "disabled": 1}


async def test_client_leaves_a_draining_member_when_its_pin_times_out(tmp_path):
    persistence = {"header": {"name": "x-user", "timeout": "10m"}}
    async with sticky(tmp_path, persistence) as (proxy, _), proxy.client() as client:
        first = await client.ask(asking())
        set_admin(proxy, proxy.member(int(first.body[1:])), "draining")
        sticky_table = proxy.worker.runtime.sticky["app"].table
        now = proxy.worker.clock.wall
        sticky_table.touch(b"ann", 0.001, now - 1)  # as after ten minutes of silence
        assert (await client.ask(asking())).body != first.body


async def test_fallback_error_does_not_wait_for_a_member_that_is_disabled(tmp_path):
    persistence = {"header": {"name": "x-user"}, "fallback": "error"}
    async with sticky(tmp_path, persistence) as (proxy, _), proxy.client() as client:
        first = await client.ask(asking())
        set_admin(proxy, proxy.member(int(first.body[1:])), "disabled")
        reply = await client.ask(asking())
        assert reply.status == 200
        assert reply.body != first.body


async def test_stale_connection_is_retried_on_the_same_member(tmp_path):
    async def closes_after_each(conversation):
        await conversation.request()
        await conversation.send(response(b"m%d" % conversation.member.number))
        with contextlib.suppress(ConnectionError):
            await conversation.some()  # the next request finds the connection gone

    async with contextlib.AsyncExitStack() as stack:
        members = []
        for number in range(2):
            member = Member(closes_after_each)
            member.number = number
            members.append(await stack.enter_async_context(member))
        pool = {"persistence": {"source": {"timeout": "10m"}}}
        mapping = config(*(member.address for member in members), pool=pool, state="memory")
        proxy = await stack.enter_async_context(serving(tmp_path, mapping))
        client = await stack.enter_async_context(proxy.client())
        seen = {(await client.ask(get())).body for _ in range(6)}
        assert len(seen) == 1


async def test_sessions_are_listed_and_dropped(tmp_path):
    header = {"header": {"name": "x-user"}}
    async with sticky(tmp_path, header, state="local") as (proxy, _), proxy.client() as client:
        for user in ("ann", "bob", "cid"):
            await client.ask(get("/", f"X-User: {user}"))
        listed = await proxy.worker.call(sessions.LIST, Wanted(limit=2))
        assert [row.client for row in listed.rows] == ["ann", "bob"]
        rest = await proxy.worker.call(sessions.LIST, Wanted(cursor=listed.cursor))
        assert [row.client for row in rest.rows] == ["cid"]
        assert rest.cursor is None
        assert (await proxy.worker.call(sessions.DROP_PAGE, Wanted(client="bob"))).dropped == 1
        member = listed.rows[0].member
        kept = (await proxy.worker.call(sessions.LIST, Wanted(member=member))).rows
        left = await proxy.worker.call(sessions.LIST, Wanted())
        assert "bob" not in {row.client for row in left.rows}
        assert {row.member for row in kept} == {member}


async def test_sticky_cookie_is_never_stored_in_the_cache(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        member = await stack.enter_async_context(Member(named("m0", "Cache-Control: max-age=60")))
        mapping = config(
            member.address,
            pool={"persistence": {"cookie": HOUR}},
            route={"cache": True},
            state="memory",
        )
        proxy = await stack.enter_async_context(serving(tmp_path, mapping))
        client = await stack.enter_async_context(proxy.client())
        first = await client.ask(get())
        assert cookie_of(first).startswith("ADCSESSION_")
        second = await client.ask(get())
        assert len(member.requests) == 1
        assert second.body == b"m0"
        assert b"set-cookie" not in second


async def test_a_retry_after_a_reload_goes_to_a_member_that_it_brought(tmp_path):
    begun, broken = asyncio.Event(), asyncio.Event()

    async def breaking(conversation):
        await conversation.request()
        begun.set()
        await broken.wait()
        conversation.reset()

    async with Member(breaking) as one, Member(answering(OK)) as other:
        settings = config(one.address, pool={"persistence": {"cookie": HOUR}})
        async with serving(tmp_path, settings) as proxy, proxy.client() as client:
            await client.send(get())
            await begun.wait()
            members = [one.address, other.address]
            await proxy.change(lambda settings: settings["pools"]["app"].update(members=members))
            broken.set()
            assert (await client.reply()).status == 200


async def test_waiter_goes_to_the_new_member_after_a_reload(tmp_path):
    begun, over = asyncio.Event(), asyncio.Event()

    async def slow(conversation):
        await conversation.request()
        begun.set()
        await over.wait()
        await conversation.send(OK)

    async with Member(slow) as one, Member(answering(OK)) as other:
        settings = config(
            one.address, pool={"persistence": {"cookie": HOUR}, "limits": {"connections_per_member": 1}}
        )
        async with serving(tmp_path, settings) as proxy, proxy.client() as first, proxy.client() as second:
            await first.send(get())
            await begun.wait()
            await second.send(get())
            await eventually(lambda: len(proxy.worker.runtime.pools["app"].queue) == 1)
            await proxy.change(lambda settings: settings["pools"]["app"].update(members=[other.address]))
            assert (await second.reply()).status == 200
            over.set()
            assert (await first.reply()).status == 200
