"""A client whose member is down moves once, to one place, in every mode."""

import asyncio
import contextlib

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually
from tests.wire.redis_server import RedisServer, needs_redis, started
from tests.wire.service import Service

PERSISTENCE = {
    "rewrite": {"cookie": {"name": "SID", "mode": "rewrite"}},
    "prefix": {"cookie": {"name": "SID", "mode": "prefix"}},
    "learned": {"learned": {"cookie": "SID"}},
    "header": {"header": {"name": "x-user"}},
    "query": {"query": {"name": "sid"}},
    "source": {"source": {}},
}
OF_APPLICATION = ["rewrite", "prefix", "learned"]
COUNT = 5


def application(name):
    """A member that sets its session cookie for newcomers only."""

    def answer(request):
        fields = [] if b"cookie" in request else [f"Set-Cookie: SID=of-{name}; Path=/"]
        return response(name.encode(), *fields)

    return answering(answer)


@contextlib.asynccontextmanager
async def visited(folder, mode, **pool):
    """A proxy in front of members of which one is known to the client: it, its client, its members, the function that
    asks again, and the number of the client's member."""
    async with contextlib.AsyncExitStack() as stack:
        members = [
            await stack.enter_async_context(Member(application(f"m{number}"))) for number in range(COUNT)
        ]
        pool = {"persistence": PERSISTENCE[mode], **pool}
        mapping = config(*(member.address for member in members), pool=pool, state="memory")
        proxy = await stack.enter_async_context(serving(folder, mapping))
        client = await stack.enter_async_context(proxy.client())
        first = await client.ask(get("/?sid=7", "X-User: ann"))
        cookie = first[b"set-cookie"].partition(b";")[0].decode()

        async def ask():
            return (await client.ask(get("/?sid=7", "X-User: ann", f"Cookie: {cookie}"))).body

        number = int(first.body[1:])
        assert await ask() == first.body
        yield proxy, members, ask, number


def report(proxy, number, *, up):
    member = proxy.member(number).address
    proxy.report_health(member, up)


@pytest.mark.parametrize("mode", PERSISTENCE)
async def test_client_whose_member_is_down_moves_once_and_stays(tmp_path, mode):
    async with visited(tmp_path, mode) as (proxy, _, ask, number):
        report(proxy, number, up=False)
        moved = {await ask() for _ in range(2 * COUNT)}
        assert len(moved) == 1
        assert moved != {b"m%d" % number}
        report(proxy, number, up=True)
        assert {await ask() for _ in range(COUNT)} == moved
        assert proxy.worker.runtime.sticky["app"].persistence.counts.moved == {"down": 1}


@pytest.mark.parametrize("mode", PERSISTENCE)
async def test_retries_elsewhere_go_to_one_member_until_the_failure_is_noticed(tmp_path, mode):
    async with visited(tmp_path, mode, health={"passive": False}) as (_, members, ask, number):
        await members[number].__aexit__()
        seen = {await ask() for _ in range(2 * COUNT)}
        assert len(seen) == 1
        await members[number].__aenter__()


@pytest.mark.parametrize("mode", OF_APPLICATION)
async def test_retries_and_the_move_that_follows_go_to_the_same_member(tmp_path, mode):
    async with visited(tmp_path, mode) as (proxy, members, ask, number):
        await members[number].__aexit__()
        seen = {await ask() for _ in range(4 * COUNT)}  # ejected after five failures
        assert len(seen) == 1
        assert proxy.worker.runtime.sticky["app"].persistence.counts.moved == {"down": 1}
        await members[number].__aenter__()


@pytest.mark.parametrize("mode", ["rewrite", "prefix"])
async def test_client_of_a_removed_member_stays_where_it_came_to(tmp_path, mode):
    async with visited(tmp_path, mode) as (proxy, members, ask, number):
        left = [member.address for member in members if member is not members[number]]
        await proxy.change(lambda settings: settings["pools"]["app"].update(members=left))
        assert len({await ask() for _ in range(2 * COUNT)}) == 1


async def test_forged_marks_fill_no_table(tmp_path):
    async with visited(tmp_path, "prefix") as (proxy, _, _, _), proxy.client() as client:
        for number in range(20):
            await client.ask(get("/", f"Cookie: SID={'A' * 47}{chr(65 + number)}~x"))
        assert len(proxy.worker.runtime.sticky["app"].table) == 0


CLIENTS, AT_ONCE = 20, 8

SEVERAL_WORKERS = """
workers: 4
state: {backend: local, path: @folder/state}
listeners: [{name: web, bind: "@web"}]
admin: {bind: "@admin"}
routes: [{pool: app}]
pools:
  app:
    persistence: {header: {name: x-user, timeout: 10m}}
    members: @members
"""


async def first_requests(user, *ports):
    """Responses to simultaneous first requests of one user, each on a connection of its own, to `ports` by turns."""

    async def ask(port, ready, go):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ready.release()
        await go.wait()
        writer.write(f"GET / HTTP/1.1\r\nHost: a\r\nX-User: {user}\r\nConnection: close\r\n\r\n".encode())
        reply = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return reply.rpartition(b"\r\n\r\n")[2]

    ready, go = asyncio.Semaphore(0), asyncio.Event()
    asking = [asyncio.create_task(ask(ports[n % len(ports)], ready, go)) for n in range(AT_ONCE)]
    for _ in asking:
        await ready.acquire()
    go.set()
    return set(await asyncio.gather(*asking))


async def test_simultaneous_first_requests_of_a_client_go_to_one_member(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        members = [await stack.enter_async_context(Member(application(f"m{number}"))) for number in range(4)]
        service = Service(tmp_path)
        stack.callback(service.close)
        text = SEVERAL_WORKERS.replace("@members", str([member.address for member in members]))
        service.write(text.replace("@folder", str(tmp_path)))
        await service.started()
        split = [user for user in range(CLIENTS) if len(await first_requests(user, service.port)) != 1]
        assert split == []


@needs_redis
async def test_simultaneous_first_requests_at_two_nodes_go_to_one_member(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        server = stack.enter_context(started(RedisServer(tmp_path)))
        members = [await stack.enter_async_context(Member(application(f"m{number}"))) for number in range(4)]
        nodes = []
        for name in ("one", "two"):
            state = {
                "backend": "redis",
                "url": server.url,
                "path": str(tmp_path / name / "state"),
                "timeout": "10s",
            }
            pool = {"persistence": PERSISTENCE["header"]}
            mapping = config(*(member.address for member in members), pool=pool, state=state)
            nodes.append(await stack.enter_async_context(serving(tmp_path / name, mapping)))
        for node in nodes:
            await eventually(lambda node=node: not node.worker.state.status().degraded)
        ports = [node.port for node in nodes]
        split = [user for user in range(CLIENTS) if len(await first_requests(user, *ports)) != 1]
        assert split == []
        created = [node.worker.runtime.sticky["app"].persistence.counts.created for node in nodes]
        assert sum(created) == CLIENTS


@needs_redis
async def test_new_client_is_served_at_once_while_redis_is_down(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        members = [await stack.enter_async_context(Member(application(f"m{number}"))) for number in range(4)]
        state = {"backend": "redis", "url": "redis://127.0.0.1:1/0", "path": str(tmp_path / "state")}
        mapping = config(
            *(member.address for member in members),
            pool={"persistence": PERSISTENCE["header"]},
            state=state,
        )
        proxy = await stack.enter_async_context(serving(tmp_path, mapping))
        assert proxy.worker.state.status().degraded
        assert [len(await first_requests(user, proxy.port)) for user in range(3)] == [1, 1, 1]
