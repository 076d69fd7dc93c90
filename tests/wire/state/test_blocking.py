"""A Redis that hangs, is gone or is slow holds up neither a worker's event loop nor a request."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from adc.state.interface import Claimed, Fetched
from adc.state.redis_client import RedisAddress, connect, disconnect
from adc.state.redis_table import RedisTable
from tests.kit.authority import Authority
from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.ports import free_port
from tests.kit.proxy import config, serving
from tests.wire.redis_server import RedisServer, needs_redis, started
from tests.wire.state.shared_stores import BOUND, connected, node, outage, until

pytestmark = needs_redis

Answer = TypeVar("Answer")


@pytest.mark.parametrize("fate", ["hung", "killed"])
async def test_loop_is_not_held_up_by_an_outage_and_what_there_is_to_catch_up_with(
    server: RedisServer, tmp_path: Path, fate: str
) -> None:
    begin, end = (server.pause, server.resume) if fate == "hung" else (server.kill, server.start)
    longest = await outage(RedisAddress((server.url,)), tmp_path, begin, end, 5000)
    assert longest < BOUND


class Timed:
    """A table that notes which answers came later than a timer of BOUND, set when the question was asked: timers
    of one length go off in their order, however late the machine lets them."""

    def __init__(self, table: RedisTable) -> None:
        self.table = table
        self.asked = 0
        self.at_once = 0
        self.late = 0
        self.lookup, self.set = table.lookup, table.set

    def fetch(self, key: bytes, now: float, done: Fetched) -> None:
        self.table.fetch(key, now, self._timed(done))

    def claim(self, key: bytes, value: bytes, ttl: float, now: float, done: Claimed) -> None:
        self.table.claim(key, value, ttl, now, self._timed(done))

    def _timed(self, done: Callable[[Answer], None]) -> Callable[[Answer], None]:
        loop = asyncio.get_running_loop()
        self.asked += 1
        waiting = True

        def answered(entry: Answer) -> None:
            nonlocal waiting
            waiting = False
            done(entry)

        def over() -> None:
            self.late += waiting

        def next_turn() -> None:
            self.at_once += not waiting

        loop.call_soon(loop.call_later, BOUND, over)
        loop.call_soon(loop.call_soon, next_turn)
        return answered


async def settled(timed: Timed, begun: int) -> None:
    """All have been answered or counted as late."""
    await asyncio.sleep(BOUND + 0.01)
    assert timed.asked == begun


async def test_only_those_who_ask_a_hung_redis_together_wait_and_no_longer_than_the_limit(
    server: RedisServer,
) -> None:
    now = time.time()
    clock = [now]
    store = await connected(node(server, clock=lambda: clock[0]))
    timed = Timed(store.table("t", 1000))
    server.pause()
    for number in range(20):
        timed.fetch(b"%d" % number, now, lambda entry: None)
    await settled(timed, 20)
    assert (timed.late, timed.at_once) == (0, 0)
    assert store.status().degraded
    for number in range(20, 100):
        assert timed.lookup(b"%d" % number, now) is None  # nobody is sent to ask
        timed.fetch(b"%d" % number, now, lambda entry: None)
    await settled(timed, 100)
    assert (timed.late, timed.at_once) == (0, 80)
    server.resume()
    await store.close()


@pytest.mark.parametrize("fate", ["hung", "slow"])
async def test_requests_of_new_clients_are_served_within_the_limit(
    server: RedisServer, tmp_path: Path, fate: str
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        relay = await stack.enter_async_context(Relay(server.port))
        member = await stack.enter_async_context(Member(answering(response(b"m"))))
        state = {"backend": "redis", "url": f"redis://127.0.0.1:{relay.port}/0", "path": str(tmp_path / "s")}
        mapping = config(
            member.address,
            pool={"persistence": {"header": {"name": "x-user"}}},
            state=state,
        )
        proxy = await stack.enter_async_context(serving(tmp_path, mapping))
        client = await stack.enter_async_context(proxy.client())
        await until(lambda: not proxy.worker.state.status().degraded)
        sticky = proxy.worker.runtime.sticky["app"]
        timed = Timed(sticky.table)
        sticky.persistence._table = timed
        assert (await client.ask(get("/", "X-User: before"))).status == 200
        assert timed.asked == 1
        if fate == "hung":
            server.pause()
        else:
            relay.delay = 0.1
        for number in range(50):
            assert (await client.ask(get("/", f"X-User: u{number}"))).status == 200
        await asyncio.sleep(BOUND + 0.01)
        assert timed.late == 0
        assert timed.asked < 10  # the first waits for its limit, and one a pause
        assert proxy.worker.state.status().degraded
        if fate == "hung":
            server.resume()
        relay.delay = 0.0
        await until(lambda: not proxy.worker.state.status().degraded)
        asked = timed.asked
        assert (await client.ask(get("/", "X-User: after"))).status == 200
        assert timed.asked == asked + 1


class Relay:
    """Stands between a client and the server at `port`; answers come `delay` seconds late."""

    def __init__(self, port: int) -> None:
        self.delay = 0.0
        self._to = port
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        for source, target, late in ((reader, back, False), (there, writer, True)):
            self._tasks.add(asyncio.create_task(self._copy(source, target, late)))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, late: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                if late and self.delay:
                    await asyncio.sleep(self.delay)
                target.write(data)
        target.close()


@pytest.mark.parametrize("cluster", [False, True])
async def test_certificates_are_read_once_before_anything_connects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: bool
) -> None:
    authority = Authority(tmp_path / "ca")
    pair = authority.issue("127.0.0.1")
    port, bus = free_port(), str(free_port())
    options = ("--cluster-enabled", "yes", "--tls-cluster", "yes", "--cluster-port", bus) if cluster else ()
    files = ("--tls-cert-file", pair["certificate"], "--tls-key-file", pair["key"], "--tls-ca-cert-file")
    server = RedisServer(
        tmp_path, "--tls-port", str(port), *files, authority.file, "--tls-auth-clients", "no", *options
    )
    made: list[object] = []
    original = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda: made.append(1) or original())
    with started(server):
        if cluster:
            server.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            await until(lambda: b"cluster_state:ok" in server.command("CLUSTER", "INFO"))
        client = connect(
            RedisAddress((f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority.file}",), cluster), 1.0
        )
        assert len(made) == 1
        await asyncio.gather(*(client.ping() for _ in range(5)))
        await disconnect(client)
        await client.ping()
        await disconnect(client)
        assert len(made) == 1
