"""The channel between nodes: what happens to the frames of nodes that this worker knows, and of others."""

import asyncio
import socket

import pytest

from adc.l4.udp.hub import FORWARD, REPLY, Hub, Node, digest_of
from tests.kit.waiting import eventually

KEY = b"k" * 32
CLIENT, OWN = ("198.51.100.1", 5000), ("192.0.2.1", 53)


class Receiver:
    def __init__(self):
        self.senders = []
        self.forwards = []
        self.replies = []

    def forwarded(self, sender, client, own, data):
        self.senders.append(sender)
        self.forwards.append((client, own, data))

    def replied(self, client, own, data):
        self.replies.append((client, own, data))


class End:
    """A worker's end of the channel, which knows the addresses in `known`."""

    def __init__(self, name, slot=0, family=socket.AF_INET, host="127.0.0.1"):
        self.known = {}
        self.hub = Hub(asyncio.get_running_loop(), slot)
        self.hub.follow(KEY, name, lambda digest: self.known.get(digest, ""))
        self.hub.receivers["game"] = self.receiver = Receiver()
        self.sock = self.hub.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.sock.setblocking(False)
        self.reader = self.hub.reader(self.sock)
        host, port = self.sock.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.node = Node(digest_of(name), self.address, slot)

    def reads(self):
        """Read all frames that have arrived."""
        self.reader.ready(0)


@pytest.fixture
async def ends():
    found = End("adc-a"), End("adc-b", slot=3)
    yield found
    for end in found:
        end.sock.close()


def send(end, to, kind=FORWARD, data=b"x"):
    return end.hub.send(to, kind, "game", CLIENT, OWN, data)


async def test_sender_is_named_by_the_address_that_it_advertises(ends):
    a, b = ends
    a.known[digest_of("adc-b")] = "adc-b.example:7946"
    assert send(b, a.node)
    a.reads()
    (sender,) = a.receiver.senders
    assert (sender.digest, sender.address, sender.slot) == (digest_of("adc-b"), "adc-b.example:7946", 3)
    assert a.receiver.forwards == [(CLIENT, OWN, b"x")]


async def test_node_that_this_worker_has_not_heard_of_gets_its_reply(ends):
    a, b = ends
    assert send(b, a.node)
    a.reads()
    (sender,) = a.receiver.senders
    assert send(a, sender, REPLY, b"y")
    b.reads()
    assert b.receiver.replies == [(CLIENT, OWN, b"y")]
    assert (a.hub.drops, b.hub.drops) == ({}, {})


async def test_replies_over_ipv6_go_to_the_source_of_an_unknown_node():
    a, b = (End(name, family=socket.AF_INET6, host="::1") for name in ("adc-a", "adc-b"))
    with a.sock, b.sock:
        assert send(b, a.node)
        a.reads()
        assert send(a, a.receiver.senders[0], REPLY, b"y")
        b.reads()
        assert b.receiver.replies == [(CLIENT, OWN, b"y")]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda a: a.hub.follow(b"K" * 32, "adc-a", lambda digest: ""), "frame_invalid"),
        (lambda a: a.hub.follow(b"", "adc-a", lambda digest: ""), "frame_invalid"),
        (lambda a: a.hub.receivers.clear(), "frame_of_unknown_listener"),
    ],
)
async def test_dropped_frame_is_counted_by_its_reason(ends, spoil, reason):
    a, b = ends
    spoil(a)
    assert send(b, a.node)
    a.reads()
    assert a.hub.drops == {reason: 1}
    assert a.receiver.forwards == []


async def test_frame_that_was_received_before_is_dropped(ends):
    a, b = ends
    assert send(b, a.node)
    frame, source = a.sock.recvfrom(2000)
    for _ in range(2):
        a.hub.received(frame, source, 1.0 * int.from_bytes(frame[4:8], "big"))
    assert len(a.receiver.forwards) == 1
    assert a.hub.drops == {"frame_invalid": 1}


async def test_datagram_that_cannot_be_sent_is_counted_by_its_reason(ends):
    a, _ = ends
    digest = digest_of("adc-b")
    assert not send(a, Node(digest, "no port", 0))
    assert not send(a, Node(digest, "255.255.255.255:7946", 0))
    assert a.hub.drops == {"node_unresolved": 1, "node_unreachable": 1}
    a.hub.sock = None
    assert not send(a, Node(digest, "127.0.0.1:7946", 0))
    assert a.hub.drops["channel_closed"] == 1


async def test_name_that_was_learned_is_resolved_before_the_first_datagram(ends):
    a, b = ends
    named = f"localhost:{b.sock.getsockname()[1]}"
    a.hub.learn([named])
    await eventually(lambda: a.hub._addresses._found)
    assert send(a, Node(digest_of("adc-b"), named, 3))
    b.reads()
    assert b.receiver.forwards == [(CLIENT, OWN, b"x")]
