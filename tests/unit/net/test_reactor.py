"""One epoll object for many sockets."""

import asyncio
import os
import socket

import pytest

from adc.net.reactor import EDGE, IN, Reactor
from tests.kit.waiting import PATIENCE


class Reader:
    """Reads `most` bytes at each call; `seen` is what it has read."""

    def __init__(self, sock, reactor, most=100):
        self.sock, self.reactor, self.most = sock, reactor, most
        self.seen = b""
        self.calls = 0

    def ready(self, events):
        self.calls += 1
        try:
            data = self.sock.recv(self.most)
        except BlockingIOError:
            return
        self.seen += data
        if data:
            self.reactor.again(self.sock.fileno(), self, lambda: self.ready(events))


@pytest.fixture
async def reactor(request):
    reactor = Reactor(asyncio.get_running_loop(), **getattr(request, "param", {}))
    yield reactor
    reactor.close()


@pytest.fixture
def pair():
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    yield ends
    for end in ends:
        end.close()


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


async def test_edge_triggered_owner_reads_the_rest_in_later_iterations(reactor, pair):
    reader = Reader(pair[0], reactor, most=3)
    reactor.add(pair[0].fileno(), reader, IN | EDGE)
    pair[1].send(b"0123456789")
    await until(lambda: reader.seen == b"0123456789")


async def test_removed_socket_is_not_reported(reactor, pair):
    reader = Reader(pair[0], reactor)
    reactor.add(pair[0].fileno(), reader)
    reactor.remove(pair[0].fileno())
    reactor.remove(pair[0].fileno())
    pair[1].send(b"x")
    for _ in range(20):
        await asyncio.sleep(0)
    assert reader.calls == 0


async def test_socket_closed_with_bytes_left_is_not_called_again(reactor, pair):
    reader = Reader(pair[0], reactor, most=1)
    number = os.dup(pair[0].fileno())
    reactor.add(number, reader, IN | EDGE)
    pair[1].send(b"xyz")
    await until(lambda: reader.calls == 1)
    reactor.again(number, reader, lambda: reader.ready(IN))
    reactor.closing(number)
    os.close(number)
    for _ in range(20):
        await asyncio.sleep(0)
    assert reader.calls == 1


class Recorder:
    def __init__(self):
        self.events = []

    def ready(self, events):
        self.events.append(events)


async def test_number_reused_in_a_batch_gets_no_event_of_the_closed_socket(reactor):
    pairs = [socket.socketpair() for _ in range(2)]
    called, opened = [], []
    recorder = Recorder()

    class Closer:
        """The first that is called closes the other's socket, whose number a new socket gets."""

        def __init__(self, other):
            self.other = other

        def ready(self, events):
            called.append(self)
            if opened:
                return
            number = self.other.fileno()
            reactor.closing(number)
            self.other.close()
            fresh, peer = socket.socketpair()
            assert fresh.fileno() == number
            opened.extend((fresh, peer))
            reactor.add(number, recorder)

    for place, (ours, peer) in enumerate(pairs):
        peer.sendall(b"x")
        reactor.add(ours.fileno(), Closer(pairs[1 - place][0]))
    await until(lambda: len(called) > 1)
    assert not recorder.events
    for sock in (*opened, *pairs[0], *pairs[1]):
        reactor.remove(sock.fileno())
        sock.close()


async def test_failing_owner_does_not_cost_the_others_their_events(reactor, pair):
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    class Failing:
        def ready(self, events):
            raise RuntimeError("a defect")

    recorder = Recorder()
    with pair[0].dup() as copy:
        reactor.add(pair[0].fileno(), Failing(), IN | EDGE)
        reactor.add(copy.fileno(), recorder, IN | EDGE)
        pair[1].sendall(b"x")
        await until(lambda: recorder.events)
        reactor.remove(copy.fileno())
    assert str(reported[0]["exception"]) == "a defect"


class Greedy:
    """Always wants another turn; `order` notes each."""

    def __init__(self, reactor, sock, order, name):
        self.reactor, self.sock, self.order, self.name = reactor, sock, order, name

    def ready(self, events):
        self.turn()

    def turn(self):
        self.order.append(self.name)
        self.reactor.again(self.sock.fileno(), self, self.turn)


@pytest.mark.parametrize("reactor", [{"budget": 0.0}], indirect=True)
async def test_turns_are_taken_one_after_the_other_within_a_budget(reactor):
    pairs = [socket.socketpair() for _ in range(3)]
    order = []
    for name, (ours, peer) in zip("abc", pairs, strict=True):
        reactor.add(ours.fileno(), Greedy(reactor, ours, order, name), IN | EDGE)
        peer.send(b"x")
    await until(lambda: len(order) > 12)
    loops = len(order)
    await asyncio.sleep(0)
    assert len(order) <= loops + 1
    assert max(map(order.count, "abc")) - min(map(order.count, "abc")) <= 2
    for ours, peer in pairs:
        reactor.remove(ours.fileno())
        ours.close()
        peer.close()


@pytest.mark.parametrize("reactor", [{"budget": 0.0, "batch": 2}], indirect=True)
async def test_batches_end_with_the_budget_and_lose_no_event(reactor):
    pairs = [socket.socketpair() for _ in range(5)]
    recorders = []
    for ours, peer in pairs:
        recorders.append(Recorder())
        peer.send(b"x")
        reactor.add(ours.fileno(), recorders[-1], IN | EDGE)
    reactor._poll()
    assert sum(bool(each.events) for each in recorders) == 1
    await until(lambda: all(each.events for each in recorders))
    for ours, peer in pairs:
        reactor.remove(ours.fileno())
        ours.close()
        peer.close()
