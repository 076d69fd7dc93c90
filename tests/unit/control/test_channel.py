"""The channel between supervisor and worker: whole messages, sockets passed along, bounds."""

import asyncio
import socket

import pytest

from adc.control import channel as channel_module
from adc.control.channel import HEADER, Channel, ChannelClosed
from tests.kit.waiting import PATIENCE


class Inbox:
    """Collects what one end of a channel hears."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[tuple[object, list[socket.socket]]] = asyncio.Queue()
        self.closed = asyncio.Event()

    def message(self, message: object, sockets: list[socket.socket]) -> None:
        self.messages.put_nowait((message, sockets))

    async def next(self) -> tuple[object, list[socket.socket]]:
        return await asyncio.wait_for(self.messages.get(), 5)


@pytest.fixture
async def ends():
    here, there = socket.socketpair()
    one, other = Inbox(), Inbox()
    channels = (
        Channel(here, one.message, one.closed.set),
        Channel(there, other.message, other.closed.set),
    )
    yield channels[0], one, channels[1], other
    for each in channels:
        each.close()


async def test_messages_arrive_whole_and_in_order(ends):
    sender, _, _, inbox = ends
    large = b"x" * 3_000_000
    sender.send({"number": 1})
    sender.send(large)
    sender.send("last")
    assert [(await inbox.next())[0] for _ in range(3)] == [{"number": 1}, large, "last"]


async def test_messages_go_both_ways(ends):
    one, one_inbox, other, other_inbox = ends
    one.send("ping")
    assert (await other_inbox.next())[0] == "ping"
    other.send("pong")
    assert (await one_inbox.next())[0] == "pong"


async def test_a_socket_sent_along_listens_for_the_receiver(ends):
    sender, _, _, inbox = ends
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        sender.send("take it", [listening])
    _, (received,) = await inbox.next()
    with received, socket.create_connection(address, timeout=PATIENCE):
        received.settimeout(PATIENCE)
        accepted, _ = received.accept()
        accepted.close()
        assert not received.get_inheritable()


async def test_more_sockets_than_one_sendmsg_takes_arrive_in_order(ends):
    sender, _, _, inbox = ends
    pairs = [socket.socketpair() for _ in range(230)]
    try:
        sender.send("many", [pair[0] for pair in pairs])
        _, received = await inbox.next()
        for number, sock in enumerate(received):
            sock.setblocking(True)
            sock.send(number.to_bytes(2, "big"))
        assert [int.from_bytes(pair[1].recv(2), "big") for pair in pairs] == list(range(230))
        for sock in received:
            sock.close()
    finally:
        for pair in pairs:
            pair[0].close()
            pair[1].close()


async def test_the_end_of_one_side_is_told_to_the_other(ends):
    sender, _, receiver, inbox = ends
    sender.close()
    await asyncio.wait_for(inbox.closed.wait(), 5)
    with pytest.raises(ChannelClosed):
        receiver.send("too late")


async def test_a_length_over_the_limit_closes_the_channel():
    here, there = socket.socketpair()
    inbox = Inbox()
    channel = Channel(there, inbox.message, inbox.closed.set)
    with here:
        here.send(HEADER.pack(channel_module.MAX_MESSAGE + 1, 0))
        await asyncio.wait_for(inbox.closed.wait(), 5)
    assert channel.closed
    assert inbox.messages.empty()


async def test_a_message_over_the_limit_is_not_sent(ends, monkeypatch):
    sender, _, _, inbox = ends
    monkeypatch.setattr(channel_module, "MAX_MESSAGE", 1000)
    with pytest.raises(ValueError, match="over the limit"):
        sender.send(b"x" * 1001)
    sender.send("small")
    assert (await inbox.next())[0] == "small"


async def test_a_reader_that_stopped_reading_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(channel_module, "MAX_UNSENT", 1_000_000)
    here, there = socket.socketpair()
    inbox = Inbox()
    sender = Channel(here, inbox.message, inbox.closed.set)
    with there:
        while not sender.closed and sender.unsent <= 1_000_000:
            sender.send(b"x" * 100_000)
        with pytest.raises(ChannelClosed, match="does not read"):
            sender.send(b"one more")
    assert inbox.closed.is_set()
