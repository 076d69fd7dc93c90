"""Clients that leave while their flow waits in the queue or for the connection to its member."""

import asyncio
import contextlib
import socket
from types import SimpleNamespace

import pytest

from adc.net.reactor import EDGE, IN
from tests.kit.proxy import serving
from tests.kit.streams import RESET, connected, full_backlog, mapping, member, server_context
from tests.kit.waiting import eventually, within

KINDS = ["plain", "tls_client", "tls_member"]
ONE = {"limits": {"connections_per_member": 1}}


async def greet(reader, writer):
    """Greets, and answers the bytes before the end of the client's half."""
    writer.write(b"!")
    data = await reader.read()
    writer.write(b"<" + data + b">")
    await writer.drain()


class Setting:
    """A listener with one member that serves `kind` of flows."""

    def __init__(self, proxy, context):
        self.proxy = proxy
        self.context = context

    def client(self):
        return connected(self.proxy, self.context)

    @property
    def waiting(self):
        return len(self.proxy.listener._upstreams["app"].queue or ())


@contextlib.asynccontextmanager
async def setting(tmp_path, authority, pair, kind, *, serve=greet, address=None, **tcp):
    listener = {"tcp": tcp} | ({"tls": {"certificates": [pair]}} if kind == "tls_client" else {})
    secure = {"tls": {"ca": authority.file}} if kind == "tls_member" else {}
    async with member(serve, ssl=server_context(pair) if secure else None) as there:
        found = mapping(address or there, listener=listener, pool={**ONE, **secure})
        async with serving(tmp_path, found) as proxy:
            yield Setting(proxy, authority.context() if kind == "tls_client" else None)


@pytest.fixture(params=KINDS)
async def queued(request, tmp_path, authority, pair):
    """A setting whose only place is taken; `first` is the writer of the client that has it."""
    async with setting(tmp_path, authority, pair, request.param) as found, found.client() as (reader, writer):
        assert await within(reader.readexactly(1)) == b"!"
        found.first = writer
        yield found


def reset(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


async def test_reset_frees_the_place_in_the_queue(queued):
    async with queued.client() as (_, writer):
        await eventually(lambda: queued.waiting == 1)
        writer.write(b"hello")
        reset(writer)
        await eventually(lambda: queued.waiting == 0)
    assert len(queued.proxy.connections) == 1
    assert ended_by(queued) == "client_reset"


async def test_close_without_a_byte_frees_the_place_in_the_queue(queued):
    async with queued.client() as (_, writer):
        await eventually(lambda: queued.waiting == 1)
        writer.close()
        await eventually(lambda: queued.waiting == 0)
    assert len(queued.proxy.connections) == 1
    assert ended_by(queued) == "client_closed"


def ended_by(found):
    return found.proxy.worker.sessions.ended.recent[-1].reason


async def test_half_closed_client_with_bytes_keeps_its_place(tmp_path, authority, pair):
    async with setting(tmp_path, authority, pair, "plain") as found, found.client() as (first, writer):
        await within(first.readexactly(1))
        async with found.client() as (reader, half_closed):
            half_closed.write(b"hello")
            half_closed.write_eof()
            await eventually(lambda: found.waiting == 1)
            writer.close()
            assert await within(reader.read()) == b"!<hello>"


@pytest.mark.parametrize("kind", ["tls_client", "tls_member"])
async def test_bytes_of_a_client_that_closed_are_delivered(tmp_path, authority, pair, kind):
    """TLS has no half-close: the client is gone, but what it sent was for the member."""
    seen = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        writer.write(b"!")
        data = await reader.read()
        if data:
            seen.set_result(data)

    async with (
        setting(tmp_path, authority, pair, kind, serve=serve) as found,
        found.client() as (first, writer),
    ):
        await within(first.readexactly(1))
        async with found.client() as (_, half_closed):
            half_closed.write(b"hello")
            half_closed.close()
            await eventually(lambda: found.waiting == 1)
            writer.close()
            assert await within(seen) == b"hello"


@pytest.mark.parametrize("kind", KINDS)
async def test_abort_on_close_frees_the_place_of_a_client_with_bytes(tmp_path, authority, pair, kind):
    async with (
        setting(tmp_path, authority, pair, kind, abort_on_close=True) as found,
        found.client() as (first, _),
    ):
        await within(first.readexactly(1))
        async with found.client() as (_, writer):
            await eventually(lambda: found.waiting == 1)
            writer.write(b"hello")
            writer.close()
            await eventually(lambda: found.waiting == 0)
            assert ended_by(found) == "client_closed"


@pytest.mark.parametrize("kind", KINDS)
async def test_reset_ends_the_attempt_to_connect(tmp_path, authority, pair, kind):
    with full_backlog() as address:
        async with setting(tmp_path, authority, pair, kind, address=address, connect_timeout="5m") as found:
            async with found.client() as (_, writer):
                await eventually(lambda: found.proxy.member().active == 1)
                reset(writer)
                await eventually(lambda: not found.proxy.connections)
            at = found.proxy.member()
            assert (at.active, at.connect_failures, at.failures) == (0, 0, 0)


async def test_number_of_a_client_that_is_gone_may_be_another_sockets(tmp_path, authority, pair):
    """The first attempt of a client that sent and left times out; the watch of the second one must not touch the socket
    that has the client's number meanwhile."""
    got = asyncio.Queue()

    async def note(reader, writer):
        got.put_nowait(await reader.read())

    listener = {"tcp": {"connect_timeout": "400ms"}, "tls": {"certificates": [pair]}}
    async with contextlib.AsyncExitStack() as stack:
        full = stack.enter_context(full_backlog())
        there = await stack.enter_async_context(member(note))
        found = mapping(full, listener=listener, pool={"balance": "first"})
        found["pools"]["app"]["members"].append(there)
        proxy = await stack.enter_async_context(serving(tmp_path, found))
        async with connected(proxy, authority.context()) as (_, writer):
            [flow] = await eventually(lambda: proxy.connections)
            await eventually(lambda: flow._watched >= 0)
            number = flow._watched
            writer.write(b"x")
            writer.close()
            await eventually(lambda: flow.client_end.lost)
        events = []
        owner = SimpleNamespace(ready=events.append)
        pairs = [socket.socketpair() for _ in range(20)]
        peers = {end.fileno(): other for pair in pairs for end, other in (pair, reversed(pair))}
        for end in (end for pair in pairs for end in pair):
            stack.enter_context(end)
        assert number in peers
        proxy.worker.reactor.add(number, owner, IN | EDGE)
        assert await within(got.get()) == b"x"
        peers[number].send(b"y")
        await eventually(lambda: events)
        proxy.worker.reactor.remove(number)


async def test_client_that_is_closing_is_not_watched(tmp_path, authority, pair):
    """Its transport has no socket any more, but the flow has not been told yet."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = f"127.0.0.1:{full.getsockname()[1]}"
        with contextlib.ExitStack() as fillers:
            for _ in range(2):
                filler = fillers.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            async with setting(tmp_path, authority, pair, "tls_client", address=address) as found:
                proxy = found.proxy
                async with found.client():
                    [flow] = await eventually(lambda: proxy.connections)
                    await eventually(lambda: flow._watched >= 0)
                    flow._watch_no_more()
                    client, transport = flow.client_end, flow.client_end.transport
                    client.transport = SimpleNamespace(
                        is_closing=lambda: True, get_extra_info=lambda name: None
                    )
                    flow.watch_client()
                    assert flow._watched < 0
                    client.transport = transport
                await eventually(lambda: not proxy.connections)
