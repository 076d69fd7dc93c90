import asyncio
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from adc.state import local_file, local_table
from adc.state.local import LocalStore
from adc.state.versions import group_of
from tests.unit.state.table_suite import NOW, TableSuite


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(folder: Path) -> Iterator[LocalStore]:
    store = LocalStore(folder, map_size=64 << 20)
    yield store
    store._close()


class TestLocal(TableSuite):
    pass


async def _reopened(folder: Path) -> LocalStore:
    return LocalStore(folder, map_size=64 << 20)


async def _written(folder: Path) -> None:
    store = await _reopened(folder)
    store.table("t", 100).set(b"k", b"v", 1e6, NOW)
    await store.close()


async def test_entries_survive_a_restart(folder: Path) -> None:
    await _written(folder)
    store = await _reopened(folder)
    assert store.table("t", 100).get(b"k", NOW) == (b"v", NOW + 1e6)
    await store.close()


async def _assert_replaced(folder: Path, caplog: pytest.LogCaptureFixture, reason: str) -> None:
    store = await _reopened(folder)
    assert len(store.table("t", 100)) == 0
    store.table("t", 100).set(b"new", b"v", 1e6, NOW)
    assert store.table("t", 100).get(b"new", NOW) is not None
    await store.close()
    assert reason in caplog.text
    assert (folder / "broken.mdb").exists()


def _garbage(folder: Path) -> None:
    folder.mkdir()
    (folder / "data.mdb").write_bytes(os.urandom(100_000))


async def test_garbage_file_is_replaced_and_the_reason_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _garbage(folder)
    await _assert_replaced(folder, caplog, "state_file_replaced")


async def test_file_cut_short_is_replaced(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = await _reopened(folder)
    for number in range(5000):
        store.table("t", 10_000).set(b"%d" % number, b"v" * 200, 1e6, NOW)
    await store.close()
    os.truncate(folder / "data.mdb", 100_000)
    await _assert_replaced(folder, caplog, "cut short")


async def test_file_of_another_format_is_replaced(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(local_file, "FORMAT", b"adc 0")
        await _written(folder)
    await _assert_replaced(folder, caplog, "adc 0")


async def test_file_left_unfinished_by_another_boot_is_replaced(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(local_file, "_boot", lambda: b"an earlier boot")
        store = await _reopened(folder)
        store.table("t", 100).set(b"k", b"v", 1e6, NOW)
        file = store._file
        assert file is not None
        file.environment.close()
        os.close(file.users)
    await _assert_replaced(folder, caplog, "went down")


async def test_file_finished_by_another_boot_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr(local_file, "_boot", lambda: b"an earlier boot")
        await _written(folder)
    store = await _reopened(folder)
    assert store.table("t", 100).get(b"k", NOW) is not None
    await store.close()


def test_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        LocalStore(tmp_path / "file" / "state")


async def test_full_file_evicts_and_never_raises(folder: Path) -> None:
    store = LocalStore(folder, map_size=16 << 20)
    table = store.table("t", 1_000_000)
    for number in range(15_000):
        table.set(b"%d" % number, b"v" * 1000, 1e6, NOW + number)
    assert 5000 < len(table) < 13_000
    assert all(table.get(b"%d" % number, NOW) is not None for number in range(14_000, 15_000))
    assert not store.status().degraded
    await store.close()


async def test_store_that_cannot_write_says_degraded_and_serves_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await _reopened(folder)
    table = store.table("t", 100)
    table.set(b"k", b"v", 1e6, NOW)

    class Full:
        def begin(self, *_: object, write: bool = False) -> lmdb.Transaction:
            if write:
                raise lmdb.DiskError("no space left")
            return store.environment.begin(table._database)

    with monkeypatch.context() as context:
        context.setattr(table, "_begin", Full().begin)
        table.set(b"other", b"v", 1e6, NOW + 1)
        assert table.add(b"n", 3, 10.0, NOW + 1) == (3, NOW + 11)
        assert table.get(b"k", NOW + 1) is not None
        assert table.get(b"other", NOW + 1) == (b"v", NOW + 1 + 1e6)
        assert store.status() == (True, f"state.path {folder}: DiskError: no space left", NOW + 1)
        assert table.stats.dropped == 2
        assert table.touch(b"k", 2e6, NOW + 1)
        assert table.get(b"k", NOW + 1) == (b"v", NOW + 1 + 2e6)
        assert [key for key, _ in table.scan(NOW + 1).entries] == [b"k"]
    table.set(b"more", b"v", 1e6, NOW + 2)
    assert not store.status().degraded
    store.tick(NOW + 3)
    assert table._spare is None
    assert table.get(b"other", NOW + 3) == (b"v", NOW + 1 + 1e6)
    assert table.get(b"k", NOW + 3) == (b"v", NOW + 1 + 2e6)
    await store.close()


async def test_counter_goes_on_in_memory_while_the_file_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await _reopened(folder)
    table = store.table("t", 100)
    table.add(b"n", 2, 10.0, NOW)

    class Full:
        def begin(self, *_: object, write: bool = False) -> lmdb.Transaction:
            if write:
                raise lmdb.DiskError("no space left")
            return store.environment.begin(table._database)

    with monkeypatch.context() as context:
        context.setattr(table, "_begin", Full().begin)
        assert [table.add(key, 1, 10.0, NOW + 1) for key in (b"n", b"n", b"new", b"new")] == [
            (3, NOW + 10),
            (4, NOW + 10),
            (1, NOW + 11),
            (2, NOW + 11),
        ]
        assert store.status().degraded
    assert table.add(b"n", 1, 10.0, NOW + 2) == (5, NOW + 10)
    assert not store.status().degraded
    store.tick(NOW + 3)
    assert table._spare is None
    assert table.add(b"new", 1, 10.0, NOW + 4) == (3, NOW + 11)
    await store.close()


ADDING = """
import sys
from pathlib import Path
from adc.state.local import LocalStore
table = LocalStore(Path(sys.argv[1])).table("t", 100)
sys.stdin.readline()
print(*(table.add(b"n", 1, 1e6, 1_000_000.0).total for _ in range(200)))
"""


async def test_additions_of_four_processes_are_each_counted_once(folder: Path) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", ADDING, str(folder), stdin=PIPE, stdout=PIPE, cwd=Path(__file__).parents[3]
        )
        for _ in range(4)
    ]
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    totals = [int(total) for output, _ in outputs for total in output.split()]
    assert sorted(totals) == list(range(1, 801))


async def test_table_larger_than_the_file_keeps_taking_new_entries(folder: Path) -> None:
    store = LocalStore(folder, map_size=1 << 20)
    tables = [store.table(name, 1_000_000, max) for name in ("one", "two")]
    source = random.Random(1)
    keys = [source.randbytes(17) for _ in range(20_000)]
    for number, key in enumerate(keys):
        table = tables[number % 3 == 0]
        table.set(key, b"v" * 1000, 1e6, NOW + number / 1000)
        assert table.get(key, NOW) is not None
        if number % 200 == 0:
            store.tick(NOW + number / 1000)
    assert not store.status().degraded
    assert sum(table.stats.dropped for table in tables) == 0
    assert sum(len(table) for table in tables) > 4_000
    pages = store.environment.info()["last_pgno"]
    assert pages * store.environment.stat()["psize"] < 2 * store.size
    await store.close()


async def test_expired_entries_go_before_live_ones_when_the_file_is_full(folder: Path) -> None:
    store = LocalStore(folder, map_size=1 << 20)
    old, new = store.table("old", 1_000_000), store.table("new", 1_000_000)
    for number in range(12_000):
        old.set(b"%06d" % number, b"v" * 900, 10.0, NOW)
    for number in range(3_000):
        new.set(b"%06d" % number, b"v" * 900, 1e6, NOW + 20)
    assert new.stats.evicted == 0
    assert len(new) == 3_000
    await store.close()


async def test_file_larger_than_a_lowered_size_is_brought_down_by_eviction(folder: Path) -> None:
    store = LocalStore(folder, map_size=64 << 20)
    for number in range(25_000):
        store.table("t", 1_000_000).set(b"%06d" % number, b"v" * 900, 1e6, NOW)
    await store.close()
    store = LocalStore(folder, map_size=1 << 20)
    table = store.table("t", 1_000_000)
    for number in range(600):
        table.set(b"new%d" % number, b"v" * 900, 1e6, NOW + 1)
        assert table.get(b"new%d" % number, NOW + 1) is not None
    assert not store.status().degraded
    assert len(table) < 13_000
    await store.close()


async def test_entries_of_a_table_that_nobody_opens_are_dropped_when_they_expire(folder: Path) -> None:
    store = await _reopened(folder)
    for number in range(500):
        store.table("removed", 1000).set(b"%d" % number, b"v", 10.0, NOW)
    await store.close()
    store = await _reopened(folder)
    store.table("kept", 100)
    assert store.tick(NOW + 11) > 0
    for _ in range(5):
        store.tick(NOW + 11)
    assert len(store.table("removed", 1000)) == 0
    await store.close()


async def test_deleted_folder_is_made_anew_and_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = await _reopened(folder)
    table = store.table("t", 100)
    shutil.rmtree(folder)
    store.tick(NOW + 2)
    assert "deleted" in caplog.text
    assert not store.status().degraded
    assert (folder / "data.mdb").exists()
    table.set(b"k", b"v", 1e6, NOW + 2)
    assert table.lookup(b"k", NOW + 2) is not None
    await store.close()


def test_folder_that_cannot_be_made_anew_is_degraded_until_it_can(
    store: LocalStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = store.table("t", 100)
    heard: list[object] = []
    table.watch(heard.append)
    shutil.rmtree(folder)
    folder.write_text("in the way")
    for second in range(2, 8):
        store.tick(NOW + second)
    assert store.status().degraded
    assert str(folder) in store.status().reason
    assert len([line for line in caplog.messages if "state_in_memory" in line]) == 1
    assert table.set(b"k", b"v", 1e6, NOW + 8) == b"v"
    assert table.lookup(b"k", NOW + 8) is not None
    table.set(b"gone", b"v", 1e6, NOW + 8)
    table.delete(b"gone", NOW + 8)
    assert table.get(b"gone", NOW + 8) is None
    folder.unlink()
    store.tick(NOW + 9)
    store.tick(NOW + 9.1)
    assert not store.status().degraded
    assert table.get(b"k", NOW + 9.1) is not None
    store.tick(NOW + 9.2)
    table.set(b"later", b"v", 1e6, NOW + 9.2)
    store.tick(NOW + 9.3)
    assert ("set", b"later", b"v") in heard


@pytest.mark.parametrize("damage", ["truncated", "garbage"])
async def test_file_damaged_in_use_is_replaced(
    folder: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    store = await _reopened(folder)
    table = store.table("t", 10_000)
    for number in range(2_000):
        table.set(b"%d" % number, b"v" * 100, 1e6, NOW)
    if damage == "truncated":
        os.truncate(folder / "data.mdb", 4096)
    else:
        store.failed(lmdb.CorruptedError("bad page"), NOW)
    store.tick(NOW + 2)
    assert not store.status().degraded
    table.set(b"k", b"v", 1e6, NOW + 2)
    assert table.get(b"k", NOW + 2) is not None
    assert (folder / "broken.mdb").exists()
    await store.close()


def test_damaged_file_is_replaced_once_all_processes_have_closed_it(store: LocalStore, folder: Path) -> None:
    table = store.table("t", 100)
    other = _other(folder, "print('open', flush=True); sys.stdin.readline()")
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    store.failed(lmdb.CorruptedError("bad page"), NOW)
    store.tick(NOW + 2)
    assert store.status().degraded
    assert "other workers" in store.status().reason
    other.communicate("\n")
    store.tick(NOW + 4)
    assert not store.status().degraded
    table.set(b"k", b"v", 1e6, NOW + 4)
    assert table.get(b"k", NOW + 4) is not None


async def test_store_that_cannot_be_opened_for_now_begins_degraded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    with monkeypatch.context() as context:
        context.setattr(local_file, "open_versions", full)
        store = await _reopened(folder)
    table = store.table("t", 100)
    table.set(b"k", b"v", 1e6, NOW)
    assert table.get(b"k", NOW) is not None
    assert "No space left" in store.status().reason
    store.tick(NOW + 1)
    store.tick(NOW + 1.1)
    assert not store.status().degraded
    assert table.get(b"k", NOW + 1) is not None
    await store.close()


OTHER = """
import sys
from pathlib import Path
from adc.state.local import LocalStore
store = LocalStore(Path(sys.argv[1]), map_size=64 << 20)
table = store.table("t", 100_000)
"""


def _other(folder: Path, code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", OTHER + code, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def test_two_processes_count_together_without_losing_one(store: LocalStore, folder: Path) -> None:
    table = store.table("t", 100_000)
    others = [_other(folder, f"for _ in range(1000): table.add(b'n', 1, 1e6, {NOW})") for _ in range(2)]
    for _ in range(1000):
        table.add(b"n", 1, 1e6, NOW)
    assert [other.wait(20) for other in others] == [0, 0]
    for other in others:
        other.communicate()
    assert table.get(b"n", NOW) == (b"3000", NOW + 1e6)


def test_change_by_another_process_is_seen_and_told_to_watchers(store: LocalStore, folder: Path) -> None:
    table = store.table("t", 100_000)
    heard: list[object] = []
    table.watch(heard.append)
    store.tick(NOW)
    other = _other(folder, f"table.set(b'k', b'v', 1e6, {NOW}); table.delete(b'gone', {NOW})")
    assert other.wait(20) == 0
    other.communicate()
    assert table.get(b"k", NOW) == (b"v", NOW + 1e6)
    store.tick(NOW + 0.1)
    assert heard == [("set", b"k", b"v")]


def test_entry_changed_by_another_process_is_never_read_from_the_copy(
    store: LocalStore, folder: Path
) -> None:
    table = store.table("t", 100_000)
    code = """
for line in sys.stdin:
    what, *words = line.split()
    if what == "set":
        table.set(b"k", words[0].encode(), 1e6, NOW)
    elif what == "touch":
        table.touch(b"k", 2e6, NOW)
    elif what == "delete":
        table.delete(b"k", NOW)
    else:
        table.add(b"n", 1, 1e6, NOW)
    print("done", flush=True)
""".replace("NOW", str(NOW))
    other = _other(folder, code)
    assert other.stdin is not None
    assert other.stdout is not None

    def tell(line: str) -> None:
        other.stdin.write(line + "\n")
        other.stdin.flush()
        assert other.stdout.readline() == "done\n"

    for number in range(50):
        table.set(b"k", b"mine", 1e6, NOW)
        assert table.lookup(b"k", NOW) == table.lookup(b"k", NOW) == (b"mine", NOW + 1e6)
        tell(f"set v{number}")
        assert table.lookup(b"k", NOW) == (b"v%d" % number, NOW + 1e6)
        tell("touch")
        assert table.lookup(b"k", NOW) == (b"v%d" % number, NOW + 2e6)
        tell("delete")
        assert table.lookup(b"k", NOW) is None
        tell("add")
        assert table.lookup(b"n", NOW) == (b"%d" % (number + 1), NOW + 1e6)
    other.stdin.close()
    assert other.wait(20) == 0
    other.stdout.close()


def test_an_entry_is_read_once_until_it_or_a_neighbour_changes(store: LocalStore) -> None:
    table = store.table("t", 100)
    table.set(b"k", b"v", 1e6, NOW)
    first = table.lookup(b"k", NOW)
    assert table.lookup(b"k", NOW) is first
    table.set(b"other", b"v", 1e6, NOW)
    assert table.lookup(b"k", NOW) is first
    coming = store.environment.info()["last_txnid"] + 1
    store.versions[group_of(b"k")] = coming  # as a process leaves it that dies before it has committed
    again = table.lookup(b"k", NOW)
    assert again == first
    assert again is not first
    assert table.lookup(b"k", NOW) is not again  # its number is of a transaction that nobody can see yet
    table.set(b"k", b"w", 1e6, NOW)
    assert table.lookup(b"k", NOW) == (b"w", NOW + 1e6)


def test_entry_that_was_kept_still_expires(store: LocalStore) -> None:
    table = store.table("t", 100)
    table.set(b"k", b"v", 10.0, NOW)
    assert table.lookup(b"k", NOW + 9) == table.lookup(b"k", NOW + 9) == (b"v", NOW + 10)
    assert table.lookup(b"k", NOW + 10) is None


def test_copies_that_a_process_keeps_of_a_table_are_bounded(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_table, "_MOST_KEPT", 10)
    table = store.table("t", 1000)
    for number in range(100):
        table.set(b"%d" % number, b"v", 1e6, NOW)
        assert table.lookup(b"%d" % number, NOW) is not None
        assert table.lookup(b"absent%d" % number, NOW) is None
    assert len(table._kept) <= 10


async def test_numbers_of_the_last_users_are_forgotten(folder: Path) -> None:
    await _written(folder)
    store = await _reopened(folder)
    store.versions[group_of(b"k")] = 1 << 40
    await store.close()
    store = await _reopened(folder)
    table = store.table("t", 100)
    first = table.lookup(b"k", NOW)
    assert first is not None
    assert table.lookup(b"k", NOW) is first
    await store.close()


def test_journal_without_readers_costs_nothing(store: LocalStore) -> None:
    table = store.table("t", 100)
    table.set(b"k", b"v", 1e6, NOW)
    with store.environment.begin(store.journal._records) as transaction:
        assert transaction.stat(store.journal._records)["entries"] == 0


def test_killed_writer_leaves_the_table_readable_and_writable(store: LocalStore, folder: Path) -> None:
    table = store.table("t", 100_000)
    loop = f"""
print("writing", flush=True)
number = 0
while True:
    number += 1
    table.set(b"%06d" % (number % 50_000), b"v%d" % number, 1e6, {NOW})
"""
    for _ in range(3):
        other = _other(folder, loop)
        assert other.stdout is not None
        assert other.stdout.readline() == "writing\n"
        size = len(table)
        while len(table) < size + 200:
            pass
        other.send_signal(signal.SIGKILL)
        other.wait(10)
        other.communicate()
        entries = table.scan(NOW, limit=100_000).entries
        assert len(entries) >= 200
        assert all(entry.value.startswith(b"v") for _, entry in entries)
        for key, _ in entries:
            table.delete(key, NOW)
        table.set(b"after", b"v", 1e6, NOW)
        assert table.get(b"after", NOW) is not None
    store.tick(NOW + 20)
    assert str(other.pid) not in store.environment.readers()


async def test_a_closed_table_still_tells_a_size(folder: Path) -> None:
    store = await _reopened(folder)
    table = store.table("t", 100)
    table.set(b"k", b"v", 1e6, NOW)
    await store.close()
    assert len(table) == 0
