"""Connections through a TCP listener: bytes, half-close, backpressure, members that are away, limits, reloads."""

import asyncio
import contextlib
import hashlib
import socket

import pytest

from adc.l4.tcp.end import BROKEN, End
from adc.l4.tcp.service import SPLICE_AFTER
from adc.runtime.operations import flows
from tests.kit.ports import free_port
from tests.kit.proxy import serving
from tests.kit.scarce_watches import scarce_watches
from tests.kit.streams import (
    LARGE,
    RESET,
    Flood,
    connected,
    echo,
    full_backlog,
    mapping,
    member,
    named,
    until_reset,
)
from tests.kit.waiting import eventually, within


async def after_the_end(reader, writer):
    """Answers with a digest once the client has closed its half."""
    data = await reader.read()
    writer.write(hashlib.sha256(data).digest())
    await writer.drain()


async def is_reset(proxy):
    """Connect, and wait for the reset, which may come before the first read."""
    with pytest.raises(ConnectionResetError):
        await _first_byte(proxy)


async def _first_byte(proxy):
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", proxy.port))
        await within(loop.sock_recv(sock, 1))


@pytest.mark.parametrize("size", [1, 40_000, len(LARGE)])
async def test_bytes_arrive_in_both_directions(tmp_path, size):
    async with member(echo) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(LARGE[:size])
            assert await within(reader.readexactly(size)) == LARGE[:size]
        await eventually(lambda: not proxy.connections)
        assert len(proxy.worker.sessions.table) == 0


async def test_greeting_that_comes_with_the_connection_is_passed_on(tmp_path):
    """The member sends before adc learns that it is connected: both are one event."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening, contextlib.ExitStack() as accepted:

        def greet():
            sock = accepted.enter_context(listening.accept()[0])
            sock.sendall(b"220 ready")

        loop.add_reader(listening, greet)
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        async with serving(tmp_path, mapping(address)) as proxy, connected(proxy) as (reader, _):
            assert await within(reader.readexactly(9)) == b"220 ready"
        loop.remove_reader(listening)


async def test_half_close_is_carried_through(tmp_path):
    async with member(after_the_end) as address, serving(tmp_path, mapping(address)) as proxy:
        for data in (b"", b"few bytes", LARGE):
            async with connected(proxy) as (reader, writer):
                writer.write(data)
                writer.write_eof()
                assert await within(reader.read()) == hashlib.sha256(data).digest()


async def test_member_that_speaks_first_and_closes_is_heard(tmp_path):
    async def greet(reader, writer):
        writer.write(LARGE)
        await writer.drain()

    async with member(greet) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy) as (reader, _):
            assert await within(reader.read()) == LARGE


async def test_slow_reader_stops_the_writer(tmp_path):
    flood = Flood()
    async with member(flood) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy, limit=1 << 16) as (reader, writer):
            writer.transport.pause_reading()
            await flood.stopped()
            flow, before = next(iter(proxy.connections)), flood.sent
            assert flow.member_end.blocked
            writer.transport.resume_reading()
            assert await within(reader.readexactly(4 * len(LARGE))) == 4 * LARGE
            await eventually(lambda: flood.sent > before)


async def test_client_reset_reaches_the_member(tmp_path):
    seen = asyncio.get_running_loop().create_future()

    async def wait(reader, writer):
        writer.write(b"x")
        try:
            await reader.read()
            seen.set_result(None)
        except OSError as error:
            seen.set_result(error)

    async with member(wait) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy) as (reader, writer):
            await within(reader.readexactly(1))
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        assert isinstance(await within(seen), ConnectionResetError)
        await eventually(lambda: not proxy.connections)


async def test_member_reset_reaches_the_client(tmp_path):
    async def reset(reader, writer):
        await reader.read(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()

    async with member(reset) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(b"x")
            await until_reset(reader)
        pool = proxy.worker.runtime.pools["app"]
        assert (pool.active, pool.members[0].failures) == (0, 1)


async def test_last_bytes_of_a_member_that_resets_arrive(tmp_path):
    async def refuse(reader, writer):
        await reader.read(1)
        writer.write(b"too much")
        await writer.drain()  # closes with unread bytes in its socket, which resets the connection

    async with member(refuse, limit=1) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(LARGE)
            assert await within(reader.readexactly(8)) == b"too much"


async def test_connection_is_tried_at_another_member(tmp_path):
    dead = f"127.0.0.1:{free_port()}"
    async with member(echo) as address, serving(tmp_path, mapping(dead, address)) as proxy:
        for _ in range(4):
            async with connected(proxy) as (reader, writer):
                writer.write(b"x")
                assert await within(reader.read(1)) == b"x"
        first, second = proxy.worker.runtime.pools["app"].members
        assert first.connect_failures > 0
        assert second.failures == 0
        await eventually(lambda: (first.active, second.active) == (0, 0))


async def test_connection_without_a_member_is_reset_and_logged(tmp_path):
    async with serving(tmp_path, mapping(f"127.0.0.1:{free_port()}")) as proxy:
        await is_reset(proxy)
        proxy.worker.logs.flush()
        assert "reason=connection_refused" in (tmp_path / "error.log").read_text()
        assert proxy.worker.runtime.pools["app"].active == 0


async def test_connections_wait_for_a_member_below_its_limit(tmp_path):
    limits = {"limits": {"connections_per_member": 1, "queue": 1}}
    async with member(named(b"!")) as address, serving(tmp_path, mapping(address, pool=limits)) as proxy:
        async with connected(proxy) as (first, writer):
            await within(first.readexactly(1))
            async with connected(proxy) as (second, _):
                await eventually(lambda: len(proxy.connections) == 2)
                await is_reset(proxy)
                writer.close()
                assert await within(second.readexactly(1)) == b"!"


async def test_breaker_limits_connections_and_waiting_ones(tmp_path):
    busy = {"limits": {"connections_per_member": 1}, "breaker": {"pending": 1}}
    for pool, open_at_most in (({"breaker": {"connections": 1}}, 1), (busy, 2)):
        async with member(named(b"!")) as address, serving(tmp_path, mapping(address, pool=pool)) as proxy:
            async with connected(proxy) as (first, _), contextlib.AsyncExitStack() as more:
                await within(first.readexactly(1))
                for number in range(2, open_at_most + 1):
                    await more.enter_async_context(connected(proxy))
                    await eventually(lambda number=number, proxy=proxy: len(proxy.connections) == number)
                await is_reset(proxy)


async def test_wait_for_a_member_ends(tmp_path):
    limits = {"limits": {"connections_per_member": 1, "queue_timeout": "1ms"}}
    async with member(named(b"!")) as address, serving(tmp_path, mapping(address, pool=limits)) as proxy:
        async with connected(proxy) as (first, _):
            await within(first.readexactly(1))
            await is_reset(proxy)


async def test_attempt_that_takes_too_long_ends(tmp_path):
    options = {"tcp": {"connect_timeout": "50ms", "attempts": 1}}
    with full_backlog() as address:
        async with serving(tmp_path, mapping(address, listener=options)) as proxy:
            await is_reset(proxy)
            assert proxy.worker.runtime.pools["app"].members[0].connect_failures == 1


@pytest.mark.parametrize("expiry", ["reset", "close", "silent"])
async def test_idle_flow_expires(tmp_path, expiry):
    ends = asyncio.Queue()

    async def wait(reader, writer):
        writer.write(b"x")
        try:
            ends.put_nowait(await reader.read())
        except OSError as error:
            ends.put_nowait(error)

    sessions = {"on_expiry": expiry, "timeouts": {"tcp": "200ms"}}
    async with member(wait) as address, serving(tmp_path, mapping(address, sessions=sessions)) as proxy:
        async with connected(proxy) as (reader, _writer):
            await within(reader.readexactly(1))
            await eventually(lambda: not proxy.connections)
            if expiry == "reset":
                await until_reset(reader)
                assert isinstance(await within(ends.get()), ConnectionResetError)
            elif expiry == "close":
                assert await within(reader.read()) == b""
                assert await within(ends.get()) == b""


async def test_flow_shows_its_addresses_and_packets_also_after_its_end(tmp_path):
    async with member(echo) as address, serving(tmp_path, mapping(address)) as proxy:
        worker = proxy.worker
        async with connected(proxy) as (reader, writer):
            writer.write(b"12345")
            await within(reader.readexactly(5))
            [live] = (await worker.call(flows.LIST, flows.WantedFlows())).rows
            assert live.client == "{}:{}".format(*writer.get_extra_info("sockname"))
        await eventually(lambda: worker.sessions.ended.recent)
        [ended] = (await worker.call(flows.LIST, flows.WantedFlows(ended=True))).rows
        for row in (live, ended):
            assert row.own == f"127.0.0.1:{proxy.port}"
            assert (row.bytes_in, row.bytes_out) == (5, 5)
            assert row.packets_in >= 2  # the handshake, the data
            assert row.packets_out >= 2


async def test_flow_over_its_byte_limit_is_reset(tmp_path):
    limits = {"tcp": {"bytes": "100KB"}}
    async with member(echo) as address, serving(tmp_path, mapping(address, listener=limits)) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(LARGE)
            await until_reset(reader)


async def test_flow_over_its_age_is_reset(tmp_path):
    limits = {"tcp": {"time": "10ms"}}
    async with member(named(b"!")) as address, serving(tmp_path, mapping(address, listener=limits)) as proxy:
        async with connected(proxy) as (reader, _):
            await until_reset(reader)


async def test_age_limit_of_a_reload_counts_for_open_flows(tmp_path):
    async with member(named(b"!")) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy) as (reader, _), connected(proxy) as (other, _):
            for each in (reader, other):
                await within(each.readexactly(1))
            await proxy.change(lambda data: data["listeners"][0].update(tcp={"time": "1h"}))
            await proxy.change(lambda data: data["listeners"][0].update(tcp={"time": "10ms"}))
            for each in (reader, other):
                await until_reset(each)
        async with connected(proxy) as (reader, _):
            await until_reset(reader)
        assert not proxy.listener._service.by_age


async def test_flows_survive_reloads_and_the_removal_of_their_member(tmp_path):
    async with member(named(b"a")) as a, member(named(b"b")) as b, serving(tmp_path, mapping(a)) as proxy:
        async with connected(proxy) as (reader, writer):
            assert await within(reader.readexactly(1)) == b"a"
            for number in range(20):
                members = [a, b] if number % 2 else [b]
                await proxy.change(lambda data, members=members: data["pools"]["app"].update(members=members))
                writer.write(b"%02d" % number)
                assert await within(reader.readexactly(2)) == b"%02d" % number
            async with connected(proxy) as (other, _):
                assert await within(other.readexactly(1)) in b"ab"


async def test_drain_waits_for_flows_and_resets_the_rest(tmp_path):
    async with member(named(b"!")) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy) as (reader, writer):
            await within(reader.readexactly(1))
            proxy.listener.drain()
            writer.write(b"x")
            assert await within(reader.readexactly(1)) == b"x"
            proxy.listener.drop_all("shutdown")
            await until_reset(reader)
            assert proxy.listener.open_connections == 0


async def test_connections_per_source_are_limited(tmp_path):
    limits = {"limits": {"connections_per_source": 1}}
    async with member(named(b"!")) as address, serving(tmp_path, mapping(address, listener=limits)) as proxy:
        async with connected(proxy) as (reader, _):
            await within(reader.readexactly(1))
            await is_reset(proxy)


async def test_clients_stay_with_their_member_by_source(tmp_path):
    sticky = {"persistence": {"source": {}}}
    async with member(named(b"a")) as a, member(named(b"b")) as b:
        async with serving(tmp_path, mapping(a, b, pool=sticky)) as proxy:
            seen = {}
            for source in ("127.0.0.1", "127.0.0.2", "127.0.0.3") * 3:
                async with connected(proxy, local_addr=(source, 0)) as (reader, _):
                    seen.setdefault(source, set()).add(await within(reader.readexactly(1)))
            assert [len(members) for members in seen.values()] == [1, 1, 1]
            assert set.union(*seen.values()) == {b"a", b"b"}


@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_member_gets_a_proxy_protocol_header_first(tmp_path, version):
    pool = {"proxy_protocol": version}
    async with member(echo) as address, serving(tmp_path, mapping(address, pool=pool)) as proxy:
        async with connected(proxy) as (reader, writer):
            own = writer.get_extra_info("sockname")
            writer.write(b"hello")
            if version == "v1":
                line = f"PROXY TCP4 127.0.0.1 127.0.0.1 {own[1]} {proxy.port}\r\n".encode()
                assert await within(reader.readexactly(len(line) + 5)) == line + b"hello"
            else:
                assert (await within(reader.readexactly(28 + 5))).endswith(b"hello")


async def test_proxy_protocol_header_of_the_client_is_passed_on(tmp_path):
    listener = {"proxy_protocol": {"from": ["127.0.0.0/8"]}}
    pool = {"proxy_protocol": "v1"}
    header = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"
    async with (
        member(echo) as address,
        serving(tmp_path, mapping(address, listener=listener, pool=pool)) as proxy,
    ):
        async with connected(proxy) as (reader, writer):
            writer.write(header + b"hello")
            assert await within(reader.readexactly(len(header) + 5)) == header + b"hello"
            assert {flow.peer for flow in proxy.connections} == {"192.0.2.7"}


async def test_unix_sockets_on_the_members_side(tmp_path):
    path = str(tmp_path / "member.sock")
    async with member(echo, path) as address, serving(tmp_path / "logs", mapping(address)) as proxy:
        async with connected(proxy) as (reader, writer):
            for _ in range(3):
                writer.write(LARGE)
                assert await within(reader.readexactly(len(LARGE))) == LARGE


async def test_name_of_a_member_is_looked_up(tmp_path):
    async with member(echo) as address:
        named_address = address.replace("127.0.0.1", "localhost")
        async with serving(tmp_path, mapping(named_address)) as proxy, connected(proxy) as (reader, writer):
            writer.write(b"x")
            assert await within(reader.readexactly(1)) == b"x"


async def test_flow_of_few_bytes_at_a_time_does_not_wait_for_turns_after_many(tmp_path):
    async with member(echo) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy) as (reader, writer):
            writer.write(LARGE)
            await within(reader.readexactly(len(LARGE)))
            for _ in range(3):
                writer.write(b"few")
                assert await within(reader.readexactly(3)) == b"few"
            [flow] = proxy.connections
            await eventually(lambda: flow.client_end.moved < SPLICE_AFTER)
            assert flow.member_end.moved < SPLICE_AFTER


async def test_reset_after_a_half_close_ends_the_flow(tmp_path):
    """The client sends more than is copied, closes its half, and is gone before it has read the echo."""
    gone = asyncio.Event()

    async def late(reader, writer):
        data = await reader.read()
        await gone.wait()
        writer.write(data)
        await writer.drain()

    async with member(late) as address, serving(tmp_path, mapping(address)) as proxy:
        async with connected(proxy) as (_, writer):
            writer.write(LARGE)
            writer.write_eof()
            [flow] = await eventually(lambda: proxy.connections)
            await eventually(lambda: flow.client_end.is_shut)
        gone.set()
        await eventually(lambda: not proxy.connections)


@pytest.mark.parametrize("which", ["member", "client"])
async def test_socket_that_the_kernel_does_not_watch_costs_a_connection_only(tmp_path, which):
    async with member(echo) as address, serving(tmp_path, mapping(address)) as proxy:
        with scarce_watches(proxy.worker.reactor, after=0 if which == "member" else 1):
            await is_reset(proxy)
        await eventually(lambda: not proxy.connections)
        async with connected(proxy) as (reader, writer):
            writer.write(b"x")
            assert await within(reader.readexactly(1)) == b"x"
        assert proxy.member().failures == 0


async def test_late_event_of_an_attempt_that_was_given_up_changes_nothing(tmp_path):
    limits = {"limits": {"connections_per_member": 1, "queue": 5}}
    async with (
        member(named(b"1")) as address,
        serving(tmp_path, mapping(address, pool=limits)) as proxy,
        connected(proxy) as (reader, writer),
        connected(proxy) as (waiting, _),
    ):
        assert await within(reader.readexactly(1)) == b"1"
        upstream = proxy.listener._upstreams["app"]
        [flow] = await eventually(lambda: list(upstream.queue.waiting))
        with socket.socket() as sock:
            flow.not_joined(End(flow, sock, False), BROKEN)
        writer.close()
        assert await within(waiting.readexactly(1)) == b"1"
