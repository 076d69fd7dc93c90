"""Connections with TLS at both ends: ends, backpressure, resets, expiry, reloads and drains, as without TLS."""

import asyncio
import contextlib
import socket

import pytest

from tests.kit.proxy import serving
from tests.kit.streams import RESET, Flood, connected, echo, mapping, member, server_context, until_reset
from tests.kit.waiting import eventually, within
from tests.wire.l4.test_tcp_tls import echoes

LARGE = bytes(range(256)) * 16384


class Bridge:
    """A proxy with TLS at both ends; `connect` opens a client's connection."""

    def __init__(self, proxy, authority, address):
        self.proxy = proxy
        self.address = address
        self._context = authority.context()

    def connect(self):
        return connected(self.proxy, self._context)

    @property
    def flow(self):
        (flow,) = self.proxy.connections
        return flow

    def ended(self):
        return [each.reason for each in self.proxy.worker.sessions.ended.recent]


@pytest.fixture
def bridging(tmp_path, authority, pair):
    @contextlib.asynccontextmanager
    async def bridging(serve=echo, **top):
        listener = {"tls": {"certificates": [pair]}}
        async with member(serve, ssl=server_context(pair)) as address:
            found = mapping(address, listener=listener, pool={"tls": {"ca": authority.file}}, **top)
            async with serving(tmp_path, found) as proxy:
                yield Bridge(proxy, authority, address)

    return bridging


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


class Witness:
    """A member that sends a byte and notes the client's bytes, then the end: b"" or the error."""

    def __init__(self):
        self.events = asyncio.Queue()

    async def __call__(self, reader, writer):
        writer.write(b"!")
        try:
            while data := await reader.read(1 << 16):
                self.events.put_nowait(data)
            self.events.put_nowait(b"")
        except OSError as error:
            self.events.put_nowait(error)

    async def received(self):
        """Return all bytes until the end, and the end."""
        data = b""
        while isinstance(event := await within(self.events.get()), bytes) and event:
            data += event
        return data, event


async def test_bytes_before_the_close_of_a_client_reach_the_member(bridging):
    witness = Witness()
    async with bridging(witness) as bridge, bridge.connect() as (reader, writer):
        await within(reader.readexactly(1))
        writer.write(LARGE)
        writer.close()
        assert await witness.received() == (LARGE, b"")
        await eventually(lambda: not bridge.proxy.connections)
        assert bridge.ended() == ["closed"]


async def test_bytes_before_the_close_of_a_member_reach_the_client(bridging):
    async def serve(reader, writer):
        await reader.readexactly(1)
        writer.write(LARGE)
        await writer.drain()

    async with bridging(serve) as bridge, bridge.connect() as (reader, writer):
        writer.write(b"x")
        assert await within(reader.read()) == LARGE
        await eventually(lambda: not bridge.proxy.connections)
        assert bridge.ended() == ["closed"]


async def test_slow_client_stops_the_member_in_bounded_memory(bridging):
    flood = Flood()
    async with bridging(flood) as bridge, bridge.connect() as (reader, _):
        await within(reader.readexactly(1))  # and no more: the reader pauses its transport
        await flood.stopped()
        assert bridge.flow.client_end.transport.get_write_buffer_size() < 1 << 20
        assert await within(reader.readexactly(len(LARGE))) == LARGE[1:] + LARGE[:1]


async def test_slow_member_stops_the_client_in_bounded_memory(bridging):
    flood, reads = Flood(), asyncio.Event()

    async def slow(reader, writer):
        await reader.readexactly(1)  # and no more for now
        await reads.wait()
        while await reader.read(1 << 20):
            pass

    async with bridging(slow) as bridge, bridge.connect() as (reader, writer):
        flooding = asyncio.create_task(flood(reader, writer))
        await flood.stopped()
        assert bridge.flow.member_end.transport.get_write_buffer_size() < 1 << 20
        before = flood.sent
        reads.set()
        await eventually(lambda: flood.sent > before)
        flooding.cancel()


async def test_reset_of_the_client_reaches_the_member(bridging):
    witness = Witness()
    async with bridging(witness) as bridge, bridge.connect() as (reader, writer):
        await within(reader.readexactly(1))
        reset(writer)
        _, end = await witness.received()
        assert isinstance(end, ConnectionResetError)
        await eventually(lambda: not bridge.proxy.connections)
        assert bridge.ended() == ["client_reset"]
        assert bridge.proxy.member().active == 0


async def test_reset_of_the_member_reaches_the_client_and_counts(bridging):
    async def serve(reader, writer):
        await reader.readexactly(1)
        reset(writer)

    async with bridging(serve) as bridge, bridge.connect() as (reader, writer):
        writer.write(b"x")
        await until_reset(reader)
        await eventually(lambda: not bridge.proxy.connections)
        assert bridge.ended() == ["member_reset"]
        assert (bridge.proxy.member().active, bridge.proxy.member().failures) == (0, 1)


@pytest.mark.parametrize("expiry", ["reset", "close"])
async def test_expiry_ends_both_ends(bridging, expiry):
    witness = Witness()
    sessions = {"on_expiry": expiry, "timeouts": {"tcp": "200ms"}}
    async with bridging(witness, sessions=sessions) as bridge, bridge.connect() as (reader, _):
        await within(reader.readexactly(1))
        await eventually(lambda: not bridge.proxy.connections)
        assert bridge.ended() == ["expired"]
        _, end = await witness.received()
        if expiry == "reset":
            await until_reset(reader)
            assert isinstance(end, ConnectionResetError)
        else:
            assert await within(reader.read()) == b""
            assert end == b""


async def test_killed_flow_is_reset_at_both_ends(bridging):
    witness = Witness()
    async with bridging(witness) as bridge, bridge.connect() as (reader, _):
        await within(reader.readexactly(1))
        bridge.flow.end("killed")
        await until_reset(reader)
        _, end = await witness.received()
        assert isinstance(end, ConnectionResetError)
        assert bridge.proxy.member().active == 0


async def test_flow_survives_reloads_without_its_member_and_without_tls(bridging, unused_tcp_port):
    async with bridging() as bridge, bridge.connect() as (reader, writer):
        other = {"members": [f"127.0.0.1:{unused_tcp_port}"]}
        edits = [
            lambda data: data["pools"].update(app=other),
            lambda data: data["listeners"][0].pop("tls"),
            lambda data: data["pools"].update(app=[bridge.address]),
        ]
        for edit in edits:
            assert await echoes(reader, writer, b"x" * 70_000)
            await bridge.proxy.change(edit)
        assert await echoes(reader, writer)


async def test_drain_waits_for_the_flow_and_resets_it_in_the_end(bridging):
    witness = Witness()
    async with bridging(witness) as bridge, bridge.connect() as (reader, writer):
        await within(reader.readexactly(1))
        bridge.proxy.listener.drain()
        writer.write(b"hello")
        assert await within(witness.events.get()) == b"hello"
        bridge.proxy.listener.drop_all("shutdown")
        await until_reset(reader)
        assert bridge.ended() == ["shutdown"]
        assert bridge.proxy.listener.open_connections == 0


async def test_half_close_towards_tls_is_a_close_after_all_bytes(tmp_path, authority, pair):
    witness = Witness()
    async with member(witness, ssl=server_context(pair)) as address:
        found = mapping(address, pool={"tls": {"ca": authority.file}})
        async with serving(tmp_path, found) as proxy, connected(proxy) as (reader, writer):
            await within(reader.readexactly(1))
            writer.write(LARGE)
            writer.write_eof()
            assert await witness.received() == (LARGE, b"")
            assert await within(reader.read()) == b""


async def test_last_bytes_of_a_client_reach_a_member_that_still_sends(tmp_path, authority, pair):
    """A close with unread bytes of the member would be a reset, which overtakes the client's."""
    witness = Witness()

    async def talkative(reader, writer):
        sending = asyncio.create_task(send_on(writer))
        await witness(reader, writer)
        sending.cancel()

    async def send_on(writer):
        while True:
            writer.write(b"x" * 1000)
            await writer.drain()
            await asyncio.sleep(0)

    listener = {"tls": {"certificates": [pair]}}
    async with member(talkative) as address:
        async with serving(tmp_path, mapping(address, listener=listener)) as proxy:
            async with connected(proxy, authority.context()) as (reader, writer):
                await within(reader.readexactly(1))
                writer.write(LARGE)
                writer.close()
                assert await witness.received() == (LARGE, b"")
