"""Memory over disk, two workers over one folder, and fills under way."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adc.cache.disk import DiskBody, DiskStore
from adc.cache.entry import Entry
from adc.cache.environment import Environment
from adc.cache.files import FileBody
from adc.cache.filling import Filling
from adc.cache.memory import MemoryStore
from adc.cache.purge import Purge, Scope
from adc.cache.purge_log import KEPT, KEPT_PAGES, PurgeLog
from adc.cache.recent_purges import KEPT as REMEMBERED
from adc.cache.recent_purges import KEPT_BYTES as REMEMBERED_BYTES
from adc.cache.recent_purges import RecentPurges
from adc.cache.stats import Stats
from adc.cache.tiered import TieredStore
from tests.unit.cache.messages import NOW, date, request, stored

KEY = b"http://example.com/a"


class Machine:
    """Two workers of one machine, in one process: they share the environment as processes would."""

    def __init__(self, path: Path) -> None:
        self.environment = Environment(path, 32 * 1024 * 1024)
        self.one, self.two = self.worker(1), self.worker(2)

    def worker(self, number: int) -> TieredStore:
        stats = Stats()
        disk = DiskStore(self.environment, 10_000_000, stats, lambda event, **fields: None)
        memory = MemoryStore(200_000, 20_000)
        return TieredStore(memory, disk, PurgeLog(self.environment), stats, 1_000_000, number)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.environment.close()


def entry(*fields: str, body: bytes = b"hello", name: str = "a") -> Entry:
    return stored("Cache-Control: max-age=60", *fields, asked=request(target=f"/{name}"), body=body)


def put(store: TieredStore, held: Entry) -> Entry | None:
    return store.put(held, store.mark(), NOW)


def test_small_content_is_served_from_memory_without_the_disk(machine: Machine) -> None:
    put(machine.one, entry())
    assert machine.one.get(KEY)[0].body == b"hello"


def test_entry_stored_by_one_worker_is_found_and_kept_by_another(machine: Machine) -> None:
    put(machine.one, entry())
    assert machine.two.get(KEY) == ()
    (found,) = machine.two.find(KEY, NOW)
    loaded = machine.two.load(found)
    assert loaded is not None
    assert loaded.body == b"hello"
    assert machine.two.get(KEY) == (loaded,)
    assert machine.two.stats.disk_hits == 1


def test_long_content_stays_on_disk_and_opens_as_a_file(machine: Machine) -> None:
    put(machine.one, entry(body=b"x" * 100_000))
    assert machine.one.get(KEY) == ()
    (found,) = machine.one.find(KEY, NOW)
    loaded = machine.one.load(found)
    assert loaded is not None
    assert isinstance(loaded.body, FileBody)
    assert loaded.body.length == 100_000
    assert machine.one.get(KEY) == ()


@pytest.mark.parametrize(
    "purge",
    [Purge(Scope.URL, KEY), Purge(Scope.PREFIX, b"http://"), Purge(Scope.TAG, b"t"), Purge(Scope.ALL)],
)
def test_a_purge_is_seen_by_every_worker_at_once(machine: Machine, purge: Purge) -> None:
    put(machine.one, entry("Cache-Tag: t"))
    machine.two.load(machine.two.find(KEY, NOW)[0])
    assert machine.two.get(KEY)
    assert machine.one.purge(purge) == 1
    for store in (machine.one, machine.two):
        assert store.get(KEY) == ()
        assert store.find(KEY, NOW) == []


def test_a_soft_purge_marks_everywhere(machine: Machine) -> None:
    put(machine.one, entry())
    machine.two.load(machine.two.find(KEY, NOW)[0])
    machine.one.purge(Purge(Scope.ALL, soft=True))
    for store in (machine.one, machine.two):
        assert store.get(KEY)[0].invalid
        assert [held.invalid for held in store.find(KEY, NOW)] == [True]


def test_a_worker_far_behind_forgets_everything(machine: Machine) -> None:
    put(machine.two, entry(name="b"))
    log = PurgeLog(machine.environment)
    for _ in range(KEPT + 1):
        log.append(Purge(Scope.URL, b"http://example.com/other"))
    assert machine.two.get(b"http://example.com/b") == ()


def test_a_purge_between_request_and_storing_wins(machine: Machine) -> None:
    mark = machine.one.mark()
    machine.two.purge(Purge(Scope.URL, KEY))
    assert machine.one.put(entry(), mark, NOW) is None
    assert machine.one.find(KEY, NOW) == []
    assert machine.one.put(entry(name="b"), mark, NOW) is not None


def test_a_newer_response_ends_the_older_copy_of_other_workers(machine: Machine) -> None:
    put(machine.one, entry(body=b"old"))
    machine.two.load(machine.two.find(KEY, NOW)[0])
    put(machine.one, entry(body=b"new"))
    assert machine.two.get(KEY) == ()
    assert machine.one.get(KEY)[0].body == b"new"
    loaded = machine.two.load(machine.two.find(KEY, NOW)[0])
    assert loaded is not None
    assert loaded.body == b"new"


def test_a_validated_head_is_shared(machine: Machine) -> None:
    put(machine.one, entry())
    renewed = stored("Cache-Control: max-age=60", "X-A: new")
    machine.one.update(renewed, machine.one.mark(), NOW + 50, outdates=False)
    assert machine.one.get(KEY)[0].headers.get(b"x-a") == b"new"
    (found,) = machine.two.find(KEY, NOW)
    assert found.headers.get(b"x-a") == b"new"


def test_other_workers_let_go_of_a_head_that_was_updated_before_its_time(machine: Machine) -> None:
    for outdates in (False, True):
        put(machine.one, entry())
        machine.two.load(machine.two.find(KEY, NOW)[0])
        renewed = stored("Cache-Control: max-age=60", "X-A: new")
        machine.one.update(renewed, machine.one.mark(), NOW, outdates)
        assert (machine.two.get(KEY) == ()) is outdates


def test_a_validated_head_counts_even_if_it_came_with_a_higher_age(machine: Machine) -> None:
    put(machine.one, entry())
    machine.two.load(machine.two.find(KEY, NOW)[0])
    renewed = stored("Cache-Control: max-age=600", "Age: 300", "X-A: new")
    machine.one.update(renewed, machine.one.mark(), NOW + 61, outdates=False)
    (found,) = machine.two.find(KEY, NOW + 61)
    assert found.headers.get(b"x-a") == b"new"


def test_a_worker_sees_what_others_stored_with_another_vary(machine: Machine) -> None:
    asked = request("L: en", "M: 1")
    older = stored("Cache-Control: max-age=60", "Vary: L", f"Date: {date(-9)}", asked=asked)
    newer = stored("Cache-Control: max-age=60", "Vary: M", f"Date: {date(-5)}", asked=asked)
    put(machine.one, older)
    put(machine.two, newer)
    for store in (machine.one, machine.two):
        assert store.get(KEY) == ()
        found = store.find(KEY, NOW)
        assert [entry.date for entry in found] == [older.date, newer.date]
        store.load(found[0])
        assert store.get(KEY) == ()
    machine.one.remove(older)
    (found,) = machine.two.find(KEY, NOW)
    machine.two.load(found)
    assert [entry.date for entry in machine.two.get(KEY)] == [newer.date]


def test_a_key_is_mixed_by_its_own_entries_only(machine: Machine) -> None:
    names = "abcdefghij"  # whose ids are in no order, so that one is the first and one the last
    for name in names:
        put(machine.one, entry(name=name))
    disk = machine.one.disk
    assert disk is not None
    keys = {name: f"http://example.com/{name}".encode() for name in names}
    assert not any(disk.mixed(key) for key in (*keys.values(), b"unknown"))
    for number, name in enumerate(names):
        put(machine.one, entry("Vary: L", name=name))
        assert [disk.mixed(keys[other]) for other in names] == [True] * (number + 1) + [False] * (9 - number)


def test_variants_of_one_vary_are_served_from_memory(machine: Machine) -> None:
    for language in ("en", "de"):
        asked = request(f"L: {language}")
        put(machine.one, stored("Cache-Control: max-age=60", "Vary: L", asked=asked))
    assert len(machine.one.get(KEY)) == 2


def test_remove_takes_one_variant_from_both_tiers(machine: Machine) -> None:
    held = entry()
    put(machine.one, held)
    machine.one.remove(held)
    assert machine.one.find(KEY, NOW) == []
    assert machine.two.find(KEY, NOW) == []


def test_a_worker_that_is_asked_for_nothing_drops_what_another_purged(machine: Machine) -> None:
    put(machine.one, entry())
    assert len(machine.one.memory) == 1
    machine.two.purge(Purge(Scope.ALL))
    machine.one.catch_up()
    machine.one.memory.step()
    assert len(machine.one.memory) == 0


def test_content_that_vanished_is_told(machine: Machine) -> None:
    put(machine.one, entry(body=b"x" * 50_000))
    (found,) = machine.one.find(KEY, NOW)
    machine.two.purge(Purge(Scope.ALL))
    assert machine.one.load(found) is None


class TestFilling:
    def begin(self, machine: Machine, expected: int = -1) -> Filling:
        return Filling(machine.one, entry(body=b""), expected, machine.one.mark())

    def test_short_content_stays_in_memory_until_the_commit(self, machine: Machine) -> None:
        filling = self.begin(machine, expected=5)
        assert filling.write(b"hel")
        assert filling.read_at(1, 10) == b"el"
        assert machine.one.find(KEY, NOW) == []
        assert filling.write(b"lo")
        done = filling.commit(NOW)
        assert done is not None
        assert done.body == b"hello"
        assert filling.complete
        assert machine.one.get(KEY) == (done,)

    def test_long_content_spills_to_a_file(self, machine: Machine) -> None:
        filling = self.begin(machine)
        chunks = [bytes([number]) * 9000 for number in range(10)]
        for chunk in chunks:
            assert filling.write(chunk)
        assert filling.read_at(8999, 2) == b"\x00\x01"
        assert filling.read_at(89_999, 2) == b"\x09"
        done = filling.commit(NOW)
        assert done is not None
        assert isinstance(done.body, DiskBody)
        assert done.body.read() == b"".join(chunks)
        assert machine.one.find(KEY, NOW)[0].length == 90_000
        assert filling.read_at(0, 1) == b"\x00"

    def test_content_over_the_limit_is_given_up_mid_stream(self, machine: Machine) -> None:
        filling = self.begin(machine)
        assert filling.write(b"x" * 999_999)
        assert not filling.write(b"xx")
        assert not filling.write(b"x")
        assert filling.commit(NOW) is None
        assert "larger" in filling.failed
        assert self.files(machine) == 0

    @pytest.mark.parametrize("size", [4, 6, 50_000])
    def test_content_of_another_length_than_announced_is_not_stored(
        self, machine: Machine, size: int
    ) -> None:
        filling = self.begin(machine, expected=5)
        filling.write(b"x" * size)
        assert filling.commit(NOW) is None
        assert machine.one.find(KEY, NOW) == []
        assert self.files(machine) == 0

    def test_an_aborted_fill_leaves_nothing(self, machine: Machine) -> None:
        filling = self.begin(machine)
        filling.write(b"x" * 50_000)
        filling.abort("member closed")
        assert filling.failed == "member closed"
        assert filling.commit(NOW) is None
        assert self.files(machine) == 0

    def test_a_purge_while_filling_wins(self, machine: Machine) -> None:
        filling = self.begin(machine)
        filling.write(b"x" * 50_000)
        machine.two.purge(Purge(Scope.URL, KEY))
        assert filling.commit(NOW) is None
        assert machine.one.find(KEY, NOW) == []

    def files(self, machine: Machine) -> int:
        assert machine.one.disk is not None
        return sum(path.is_file() for path in machine.one.disk.objects.rglob("*"))


def test_memory_alone_needs_no_folder() -> None:
    stats = Stats()
    store = TieredStore(MemoryStore(100_000, 50_000), None, None, stats, 50_000)
    filling = Filling(store, entry(body=b""), 5, store.mark())
    filling.write(b"hello")
    done = filling.commit(NOW)
    assert done is not None
    assert store.find(KEY, NOW) == [done]
    assert store.load(done) is done
    assert store.purge(Purge(Scope.URL, KEY)) == 1
    assert stats.as_dict()["purged"] == 1


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(
    ("purge", "covered"),
    [
        (Purge(Scope.URL, KEY), True),
        (Purge(Scope.TAG, b"t"), True),
        (Purge(Scope.ALL), True),
        (Purge(Scope.URL, KEY + b"b"), False),
    ],
)
def test_a_purge_while_filling_wins_in_memory_alone(purge: Purge, covered: bool, soft: bool) -> None:
    store = TieredStore(MemoryStore(100_000, 50_000), None, None, Stats(), 50_000)
    filling = Filling(store, entry("Cache-Tag: t", body=b""), 5, store.mark())
    store.purge(replace(purge, soft=soft))
    filling.write(b"hello")
    assert (filling.commit(NOW) is None) is covered
    assert (store.get(KEY) == ()) is covered


def test_fetch_during_more_purges_than_are_remembered_is_not_stored() -> None:
    store = TieredStore(MemoryStore(100_000, 50_000), None, None, Stats(), 50_000)
    mark = store.mark()
    for _ in range(REMEMBERED):
        store.purge(Purge(Scope.URL, KEY + b"b"))
    assert store.put(entry(body=b"hello"), mark, NOW) is not None
    store.purge(Purge(Scope.URL, KEY + b"b"))
    assert store.put(entry(body=b"hello"), mark, NOW) is None
    assert store.put(entry(body=b"hello"), store.mark(), NOW) is not None


def test_log_of_purges_with_long_targets_is_bounded(tmp_path: Path) -> None:
    environment = Environment(tmp_path, 64 << 20)
    log = PurgeLog(environment)
    for number in range(1000):
        assert log.append(Purge(Scope.REPLACED, b"u" * 8000)) == number + 1
    with environment.lmdb.begin() as txn:
        stat = txn.stat(environment.lmdb.open_db(b"purges", txn))
    assert stat["leaf_pages"] + stat["overflow_pages"] <= KEPT_PAGES
    assert log.since(0) is None
    assert log.since(999) == [Purge(Scope.REPLACED, b"u" * 8000)]
    environment.close()


def test_purges_that_a_worker_remembers_for_itself_are_bounded() -> None:
    purges = RecentPurges()
    for _ in range(100):
        purges.append(Purge(Scope.URL, b"u" * (REMEMBERED_BYTES // 10)))
    assert purges.since(0) is None
    assert len(purges.since(95) or ()) == 5
