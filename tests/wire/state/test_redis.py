"""Tables shared through a real redis-server: two stores in one process stand for two nodes."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from adc.state.interface import UNKNOWN, Count, Entry
from adc.state.redis import RedisStore
from adc.state.redis_client import RedisAddress
from adc.state.redis_table import Addition
from tests.unit.state.table_suite import NOW, TableSuite
from tests.wire.redis_server import RedisServer, needs_redis, started
from tests.wire.state.shared_stores import connected, node, running, two_nodes, until

pytestmark = needs_redis


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with started(RedisServer(tmp_path_factory.mktemp("redis"))) as server:
        yield server


class TestRedis(TableSuite):
    @pytest.fixture
    async def store(self, shared_server: RedisServer) -> AsyncIterator[RedisStore]:
        shared_server.command("FLUSHALL")
        store = await connected(node(shared_server, clock=lambda: NOW))
        yield store
        await store.close()


@pytest.fixture
async def nodes(server: RedisServer) -> AsyncIterator[tuple[RedisStore, RedisStore]]:
    async with two_nodes(server) as stores:
        yield stores


async def test_write_of_one_node_reaches_the_other(nodes: tuple[RedisStore, RedisStore]) -> None:
    mine, theirs = (store.table("t", 1000, min) for store in nodes)
    now = time.time()
    mine.set(b"k", b"v", 100.0, now)
    await until(lambda: theirs.get(b"k", time.time()) is not None)
    found = theirs.get(b"k", now)
    assert found is not None
    assert found.value == b"v"
    assert abs(found.expires - (now + 100)) < 1.0
    mine.touch(b"k", 500.0, now)
    await until(lambda: (theirs.get(b"k", now) or Entry(b"", 0)).expires > now + 400)
    mine.delete(b"k", now)
    await until(lambda: theirs.get(b"k", time.time()) is None)


async def test_node_that_does_not_know_asks_and_hears_at_once(server: RedisServer) -> None:
    one = await connected(node(server))
    one.table("t", 1000).set(b"k", b"v", 100.0, time.time())
    await until(lambda: b"$1\r\nv" in server.command("GET", "adc:t:k"))
    other = node(server)
    await connected(other)  # the table is opened after the pull: nothing of it is known yet
    table = other.table("t", 1000)
    assert table.lookup(b"k", time.time()) is UNKNOWN
    answers: list[Entry | None] = []
    table.fetch(b"k", time.time(), answers.append)
    table.fetch(b"k", time.time(), answers.append)
    table.fetch(b"nobody", time.time(), answers.append)
    await until(lambda: len(answers) == 3)
    assert sorted("" if entry is None else entry.value.decode() for entry in answers) == ["", "v", "v"]
    assert table.get(b"k", time.time()) is not None
    await one.close()
    await other.close()


async def test_of_nodes_that_claim_at_one_moment_one_wins_and_the_others_are_told(
    server: RedisServer,
) -> None:
    address = RedisAddress((server.url,))
    nodes = [await connected(RedisStore(address, limit=10.0, fetch_limit=10.0)) for _ in range(2)]
    tables = [store.table("t", 1000, min) for store in nodes]
    found: list[list[bytes]] = [[] for _ in range(50)]
    now = time.time()
    for number in range(50):
        for value, table in ((b"b", tables[number % 2]), (b"a", tables[1 - number % 2]), (b"c", tables[0])):
            key = b"claim%d" % number
            table.claim(
                key, value, 100.0, now, lambda entry, number=number: found[number].append(entry.value)
            )
    await until(lambda: all(len(values) == 3 for values in found))
    assert all(len(set(values)) == 1 for values in found)
    for store in nodes:
        await store.close()


async def test_claim_that_redis_is_too_slow_to_settle_is_settled_here(server: RedisServer) -> None:
    store = await connected(node(server))
    table = store.table("t", 1000, min)
    server.pause()
    found: list[bytes] = []
    for value in (b"b", b"a"):
        table.claim(b"k", value, 100.0, time.time(), lambda entry: found.append(entry.value))
    await until(lambda: len(found) == 2)
    server.resume()
    assert found == [b"b", b"b"]
    await store.close()


async def test_exact_additions_of_two_nodes_are_each_counted_once(server: RedisServer) -> None:
    address = RedisAddress((server.url,))
    nodes = [await connected(RedisStore(address, limit=10.0, fetch_limit=10.0)) for _ in range(2)]
    tables = [store.table("t", 1000) for store in nodes]
    counts: list[Count | None] = []
    for number in range(200):
        tables[number % 2].add_exactly(b"n", 1, 100.0, time.time(), counts.append)
    await until(lambda: len(counts) == 200)
    assert sorted(count.total for count in counts if count is not None) == list(range(1, 201))
    found = [table.get(b"n", time.time()) for table in tables]
    assert max(int(entry.value) for entry in found if entry is not None) == 200
    for store in nodes:
        await store.close()


async def test_exact_addition_that_redis_does_not_confirm_in_time_is_reported_unconfirmed(
    server: RedisServer,
) -> None:
    store = await connected(node(server))
    table = store.table("t", 1000)
    server.pause()
    counts: list[Count | None] = []
    table.add_exactly(b"n", 1, 100.0, time.time(), counts.append)
    await until(lambda: counts == [None])
    assert store.status().degraded
    table.add_exactly(b"n", 1, 100.0, time.time(), counts.append)
    await until(lambda: counts == [None, None])
    server.resume()
    await store.close()


async def test_exact_addition_without_redis_is_unconfirmed_at_once() -> None:
    store = RedisStore(RedisAddress(("redis://127.0.0.1:1",)), fetch_limit=1000.0)
    counts: list[Count | None] = []
    store.table("t", 1000).add_exactly(b"n", 1, 100.0, time.time(), counts.append)
    await until(lambda: counts == [None])
    await store.close()


async def test_two_nodes_that_pin_at_one_moment_come_to_agree(
    nodes: tuple[RedisStore, RedisStore], server: RedisServer
) -> None:
    mine, theirs = (store.table("t", 1000, min) for store in nodes)
    for number in range(50):
        mine.set(b"%d" % number, b"a" if number % 2 else b"b", 100.0, time.time())
        theirs.set(b"%d" % number, b"b" if number % 2 else b"a", 100.0, time.time())

    def agreed() -> bool:
        now = time.time()
        found = [table.get(b"%d" % number, now) for table in (mine, theirs) for number in range(50)]
        return all(entry is not None and entry.value == b"a" for entry in found)

    await until(agreed)
    await until(lambda: all(b"\r\na\r\n" in server.command("GET", f"adc:t:{number}") for number in range(50)))


async def test_counters_of_two_nodes_add_up(
    nodes: tuple[RedisStore, RedisStore], server: RedisServer
) -> None:
    mine, theirs = (store.table("plain", 1000) for store in nodes)
    for _ in range(100):
        mine.add(b"n", 1, 100.0, time.time())
        theirs.add(b"n", 2, 100.0, time.time())
    await until(lambda: b"\r\n300\r\n" in server.command("GET", "adc:plain:n"))
    mine.add(b"n", 1, 100.0, time.time())
    await until(lambda: (mine.get(b"n", time.time()) or Entry(b"", 0)).value == b"301")
    assert int(server.command("PTTL", "adc:plain:n").strip(b":\r\n")) > 0


async def test_gone_redis_blocks_nothing_and_everything_is_level_on_return(
    nodes: tuple[RedisStore, RedisStore], server: RedisServer
) -> None:
    one, other = nodes
    mine, theirs = one.table("t", 1000, min), other.table("t", 1000, min)
    mine.set(b"before", b"v", 100.0, time.time())
    await until(lambda: theirs.get(b"before", time.time()) is not None)
    server.kill()
    await until(lambda: one.status().degraded and other.status().degraded)
    longest = 0.0
    for number in range(300):
        begin = running()
        mine.set(b"mine%d" % number, b"v", 100.0, time.time())
        theirs.set(b"theirs%d" % number, b"v", 100.0, time.time())
        assert mine.lookup(b"nobody", time.time()) is None
        assert theirs.lookup(b"before", time.time()) is not None
        longest = max(longest, running() - begin)
        if number % 50 == 0:
            await asyncio.sleep(0.01)
    assert longest < 0.05
    mine.set(b"both", b"b", 100.0, time.time())
    theirs.set(b"both", b"a", 100.0, time.time())
    server.start()  # empty, as after a crash
    await until(lambda: not one.status().degraded and not other.status().degraded, 10.0)

    def level() -> bool:
        now = time.time()
        return all(
            table.get(b"mine299", now) is not None
            and table.get(b"theirs299", now) is not None
            and table.get(b"before", now) is not None
            and (table.get(b"both", now) or Entry(b"", 0)).value == b"a"
            for table in (mine, theirs)
        )

    await until(level)
    assert len(mine) == len(theirs) == 602


async def test_connections_from_before_a_restart_of_redis_are_not_used(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of them would fail on its own later, and have the node believe that Redis is away again."""
    store = await connected(node(server))
    table = store.table("t", 1000)
    answers: list[Entry | Count | None] = []

    async def ask(number: int) -> None:
        """Use three connections at once, beside the one that waits for changes."""
        answers.clear()
        table.fetch(b"%d" % number, time.time(), answers.append)
        store.add_exactly(Addition(table, b"n%d" % number, 1, 100.0), time.time(), answers.append)
        table.set(b"k%d" % number, b"v", 100.0, time.time())
        await until(lambda: len(answers) == 2 and not store.writes)

    await ask(0)
    server.kill()
    await until(lambda: store.status().degraded)
    server.start()
    await until(lambda: not store.status().degraded, 10.0)
    for number in range(1, 10):
        await ask(number)
    await store.close()
    assert caplog.text.count("redis_lost") == 1


async def test_deletion_while_a_node_was_cut_off_is_not_undone(server: RedisServer) -> None:
    one = await connected(node(server))
    other = node(server)
    mine, theirs = one.table("t", 1000, min), other.table("t", 1000, min)
    await connected(other)
    mine.set(b"k", b"v", 100.0, time.time())
    await until(lambda: theirs.get(b"k", time.time()) is not None)
    await other._stop()
    mine.delete(b"k", time.time())
    await until(lambda: b"$-1" in server.command("GET", "adc:t:k"))
    await connected(other)
    await until(lambda: theirs.get(b"k", time.time()) is None)
    assert b"$-1" in server.command("GET", "adc:t:k")
    await one.close()
    await other.close()


async def test_hanging_redis_costs_a_request_no_more_than_the_fetch_limit(server: RedisServer) -> None:
    store = await connected(node(server))
    table = store.table("t", 1000)
    server.pause()
    try:
        answers: list[Entry | None] = []
        table.fetch(b"k", time.time(), answers.append)
        limit = asyncio.get_running_loop().call_later(0.15, answers.append, Entry(b"too late", 0))
        await until(lambda: bool(answers))  # timers go off in their order, however late the machine lets them
        limit.cancel()
        assert answers == [None]
        assert store.status().degraded
        assert table.lookup(b"k", time.time()) is None
    finally:
        server.resume()
    await until(lambda: table.lookup(b"k", time.time()) is UNKNOWN)
    table.fetch(b"k", time.time(), answers.append)
    await until(lambda: len(answers) == 2 and not store.status().degraded)
    await store.close()


async def test_store_starts_without_redis_and_connects_when_it_comes(server: RedisServer) -> None:
    server.kill()
    store = node(server)
    store.start()
    table = store.table("t", 1000)
    table.set(b"k", b"v", 100.0, time.time())
    assert store.status().degraded
    server.start()
    await until(lambda: not store.status().degraded, 10.0)
    await until(lambda: b"\r\nv\r\n" in server.command("GET", "adc:t:k"))
    await store.close()


async def test_closing_sends_what_is_queued(server: RedisServer) -> None:
    store = await connected(node(server))
    store.table("t", 1000).set(b"k", b"v", 100.0, time.time())
    await store.close()
    assert b"\r\nv\r\n" in server.command("GET", "adc:t:k")


async def test_watcher_hears_of_changes_by_another_node(nodes: tuple[RedisStore, RedisStore]) -> None:
    mine, theirs = (store.table("plain", 1000) for store in nodes)
    heard: list[object] = []
    theirs.watch(heard.append)
    mine.set(b"purge", b"/page", 10.0, time.time())
    await until(lambda: heard == [("set", b"purge", b"/page")])


async def test_message_that_is_none_is_skipped(
    nodes: tuple[RedisStore, RedisStore], server: RedisServer
) -> None:
    mine, theirs = (store.table("plain", 1000) for store in nodes)
    server.command("XADD", "adc:changes", "*", "o", "x", "w", "garbage")
    mine.set(b"k", b"v", 10.0, time.time())
    await until(lambda: theirs.get(b"k", time.time()) is not None)


async def test_master_whose_changes_are_numbered_lower_is_heard(
    nodes: tuple[RedisStore, RedisStore], server: RedisServer
) -> None:
    mine, theirs = (store.table("plain", 1000) for store in nodes)
    server.command("XADD", "adc:changes", "99999999999999-0", "o", "x", "w", '""')
    mine.set(b"last", b"v", 100.0, time.time())
    await until(lambda: theirs.get(b"last", time.time()) is not None)
    server.kill()
    await until(lambda: all(store.status().degraded for store in nodes))
    server.start()  # as a replica that takes over without having heard of that number
    await until(lambda: not any(store.status().degraded for store in nodes), 10.0)
    mine.set(b"k", b"v", 100.0, time.time())
    await until(lambda: theirs.get(b"k", time.time()) is not None)


def test_address_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        RedisStore(RedisAddress(("redis://a", "redis://b")))
