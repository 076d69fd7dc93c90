import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from adc.state import local_file, local_table
from adc.state.local import LocalStore
from adc.state.local_file import close_file
from adc.state.versions import group_of
from tests.unit.state.table_suite import NOW, TableSuite


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(folder: Path) -> Iterator[LocalStore]:
    store = LocalStore(folder, map_size=64 << 20)
    yield store
    close_file(store._file)


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
    await _assert_replaced(folder, caplog, "replaced by an empty one")


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
        store.environment.close()
        os.close(store._file.users)
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
        assert table.add(b"n", 3, 10.0, NOW + 1) == 3
        assert table.get(b"k", NOW + 1) is not None
        assert store.status() == (True, "DiskError: no space left", NOW + 1)
        assert table.stats.dropped == 2
    table.set(b"other", b"v", 1e6, NOW + 2)
    assert not store.status().degraded
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


def test_what_another_process_changed_is_never_answered_from_what_was_kept(
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


def test_what_a_process_keeps_of_a_table_is_bounded(
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


def test_nobody_pays_for_a_journal_that_nobody_reads(store: LocalStore) -> None:
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
