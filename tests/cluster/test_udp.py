"""UDP sessions of two nodes that share a real Redis: the path of a client may change from one node to the other."""

import contextlib

import pytest

from adc.runtime.assembly.cluster import DATAGRAMS
from tests.kit.datagrams import config, member, relaying
from tests.kit.ports import free_port
from tests.kit.waiting import eventually, settled
from tests.wire.redis_server import RedisServer, needs_redis

SECRET = "the secret of these two nodes"
CLIENTS = 12
DATAGRAMS_EACH = 10
HALF = CLIENTS * DATAGRAMS_EACH // 2


pytestmark = needs_redis


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


class Members:
    """Two members. Each replies to a client only if it has seen that client's first datagram: state that another member
    does not have."""

    def __init__(self):
        self.known = ({}, {})
        self.misdelivered = 0

    def answer(self, number):
        def reply(data):
            client, _, count = data.partition(b":")
            if count == b"0":
                self.known[number][client] = True
            elif client not in self.known[number]:
                self.misdelivered += 1
                return []
            return [data]

        return reply


def node_config(folder, name, redis, mode, addresses, port, **sessions):
    """Return the configuration of a node that shares its sessions, unless `mode` is nothing."""
    return config(
        *addresses,
        pool={"balance": "first"},
        node=name,
        sessions={"on_unknown": "reject" if mode == "nothing" else mode, **sessions},
        state={
            "backend": "redis",
            "url": redis.url,
            "path": str(folder / f"state-{name}"),
            "timeout": "1s",
        },
        cluster={
            "name": folder.name,
            "advertise": f"127.0.0.1:{port}",
            "secret": SECRET,
            "sync": {"sessions": mode != "nothing", "interval": "10ms"},
        },
    )


def node(folder, name, redis, mode, addresses, **sessions):
    """Serve a node in this process."""
    port = free_port()
    mapping = node_config(folder, name, redis, mode, addresses, port, **sessions)
    return relaying(folder / name, mapping, channel={DATAGRAMS: port} if mode == "redirect" else {})


@contextlib.asynccontextmanager
async def two_nodes(folder, redis, mode, addresses, **sessions):
    """Serve two nodes that share their sessions, unless `mode` is nothing."""
    async with (
        node(folder, "a", redis, mode, addresses, **sessions) as first,
        node(folder, "b", redis, mode, addresses[::-1], **sessions) as second,
    ):
        nodes = [first, second]
        if mode != "nothing":
            await eventually(lambda: all(node.worker.cluster.living == 1 for node in nodes))
        await in_step(*nodes)
        yield nodes


async def in_step(*nodes):
    """Return when Redis answers all `nodes`."""
    await eventually(lambda: not any(node.worker.state.status().degraded for node in nodes))


async def asymmetric(nodes, members):
    """Send datagrams of clients by both nodes in turn; return how many had no reply, and how many a wrong member got.

    Each datagram is awaited until it has a reply, a node has dropped it, or a member has kept silent.
    """
    visitors = [nodes[0].visitor() for _ in range(CLIENTS)]
    sent = answered = 0
    for count in range(DATAGRAMS_EACH):
        for number, visitor in enumerate(visitors):
            visitor.address = nodes[(number + count) % 2].address
            visitor.send(b"%d:%d" % (number, count))
            sent += 1

        def accounted(sent=sent):
            nonlocal answered
            answered += sum(_replies(visitor) for visitor in visitors)
            dropped = sum(node.dropped("unknown_session") for node in nodes)
            return answered + dropped + members.misdelivered == sent

        await eventually(accounted)
    return sent - answered, members.misdelivered


def _replies(visitor):
    """Return the number of replies that have come; all are from the address that the visitor sent to."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            _, sender = visitor.sock.recvfrom(65_536)
            assert sender == visitor.address
            count += 1
    return count


@pytest.mark.parametrize(
    ("mode", "lost", "misdelivered"),
    [("nothing", HALF, HALF), ("reject", HALF, 0), ("accept", 0, 0), ("redirect", 0, 0)],
)
async def test_datagrams_that_take_another_path(tmp_path, redis, mode, lost, misdelivered):
    """Half of each client's datagrams come by the node that does not own its session."""
    members = Members()
    async with member(members.answer(0)) as one, member(members.answer(1)) as two:
        addresses = [one.address, two.address]
        async with two_nodes(tmp_path, redis, mode, addresses) as nodes:
            assert await asymmetric(nodes, members) == (lost, misdelivered)
            senders = {*one.senders, *two.senders}
            if mode == "redirect":
                assert len(senders) == CLIENTS
                assert sum(node.sessions for node in nodes) == CLIENTS
                passed = sum(node.count("adc_datagrams_passed_total", "game") for node in nodes)
                assert passed == HALF


async def test_a_session_of_a_node_that_died_continues_on_the_other_with_its_member(tmp_path, redis):
    members = Members()
    async with member(members.answer(0)) as one, member(members.answer(1)) as two:
        addresses = [one.address, two.address]
        async with two_nodes(tmp_path, redis, "redirect", addresses) as (first, second):
            visitor = first.visitor()
            assert await visitor.ask(b"x:0") == b"x:0"
            first.worker.cluster.tick = lambda wall: None
            first.worker.reactor.close()

            def continued():
                visitor.send(b"x:1")
                return _replies(visitor)

            visitor.address = second.address
            await eventually(continued)
            assert members.misdelivered == 0
            assert second.sessions == 1
            assert second.count("adc_sessions_taken_over_total", "game") == 1


async def test_node_answers_datagrams_of_another_that_it_has_not_heard_of(tmp_path, redis):
    async with member() as one, node(tmp_path, "a", redis, "redirect", [one.address]) as first:
        await in_step(first)
        first.worker.cluster.tick = lambda wall: None
        async with node(tmp_path, "b", redis, "redirect", [one.address]) as second:
            await eventually(lambda: second.worker.cluster.living == 1)
            await in_step(second)
            visitor = first.visitor()
            assert await visitor.ask(b"1") == b"1"
            visitor.address = second.address
            assert await visitor.ask(b"2") == b"2"
            assert first.worker.cluster.living == 0
            assert [each.sessions for each in (first, second)] == [1, 0]


async def test_frames_of_strangers_are_dropped_without_a_reply(tmp_path, redis):
    async with member() as one, two_nodes(tmp_path, redis, "redirect", [one.address]) as (first, _):
        stranger = first.visitor()
        stranger.address = first.others[DATAGRAMS][0].getsockname()
        for data in (b"", b"x", b"\0" * 60, b"\0\1\0\1" + b"\xff" * 200):
            stranger.send(data)
        await eventually(lambda: first.count("adc_datagrams_dropped_total", DATAGRAMS, "frame_invalid") == 4)
        await settled()
        assert stranger.nothing()
        assert one.received == []


async def test_removed_listener_leaves_the_channel_when_its_sessions_have_ended(tmp_path, redis):
    members = Members()
    async with (
        member(members.answer(0)) as one,
        two_nodes(tmp_path, redis, "redirect", [one.address]) as (first, _),
    ):
        visitor = first.visitor()
        assert await visitor.ask(b"x:0") == b"x:0"
        listener, hub = first.listener, first.worker.datagrams.hub
        listener.drain()
        await settled()
        assert "game" in hub.receivers
        listener.drop_all("test")
        await eventually(lambda: "game" not in hub.receivers)
