"""The disk tier: real files, a real LMDB."""

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest

from adc.cache.disk import DiskBody, DiskStore
from adc.cache.entry import Entry
from adc.cache.environment import Environment
from adc.cache.files import FileWriter
from adc.cache.purge import Purge, Scope, finish
from adc.cache.stats import Stats
from adc.telemetry.log_line import LoggedEvent
from tests.unit.cache.messages import NOW, request, stored

MAP = 16 * 1024 * 1024


class Disk:
    """An open store, what it reported, and how to open it again."""

    def __init__(self, path: Path, limit: int = 10_000_000) -> None:
        self.path, self.limit = path, limit
        self.reports: list[str] = []
        self.open()

    def open(self) -> None:
        self.stats = Stats()
        self.environment = Environment(self.path, MAP)
        self.store = DiskStore(self.environment, self.limit, self.stats, self.report, max_variants=8)

    def report(self, event: str, /, **fields: object) -> None:
        self.reports.append(str(LoggedEvent(event, fields)))

    def reopen(self) -> None:
        self.environment.close()
        self.open()

    def read(self, name: str) -> list[bytes | None]:
        bodies = []
        for held in self.store.get(key(name), NOW):
            assert isinstance(held.body, DiskBody)
            body = held.body.open(held.length)
            bodies.append(None if body is None else body.read())
        return bodies

    def files(self) -> list[Path]:
        return [path for path in self.store.objects.rglob("*") if path.is_file()]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "cache")
    yield disk
    disk.environment.close()


def entry(name: str, *fields: str, asked: tuple[str, ...] = (), body: bytes = b"hello") -> Entry:
    return stored("Cache-Control: max-age=60", *fields, asked=request(*asked, target=f"/{name}"), body=body)


def key(name: str) -> bytes:
    return b"http://example.com/" + name.encode()


def test_stored_entry_is_found_with_its_head(disk: Disk) -> None:
    held = entry("a", 'ETag: "\u00e9"', "Vary: X", "Cache-Tag: t", asked=("X: 1",))
    assert disk.store.put(held, NOW)
    (found,) = disk.store.get(key("a"), NOW)
    for name in ("key", "status", "headers", "varying", "terms", "date", "etag", "tags", "part", "length"):
        assert getattr(found, name) == getattr(held, name), name
    assert disk.read("a") == [b"hello"]


def test_a_part_keeps_its_place(disk: Disk) -> None:
    held = stored("Cache-Control: max-age=60", "Content-Range: bytes 2-6/9", status=206)
    disk.store.put(held, NOW)
    assert disk.store.get(held.key, NOW)[0].part == held.part


def test_entries_survive_a_restart(disk: Disk) -> None:
    disk.store.put(entry("a"), NOW)
    disk.reopen()
    assert disk.read("a") == [b"hello"]


def test_variants_lie_beside_each_other_and_replace_their_like(disk: Disk) -> None:
    for language, body in (("en", b"1"), ("de", b"2"), ("en", b"3")):
        disk.store.put(entry("a", "Vary: L", asked=(f"L: {language}",), body=body), NOW)
    assert sorted(disk.read("a")) == [b"2", b"3"]
    assert len(disk.files()) == 2


def test_variants_read_are_bounded(disk: Disk) -> None:
    for number in range(20):
        disk.store.put(entry("a", "Vary: L", asked=(f"L: {number}",)), NOW)
    assert len(disk.store.get(key("a"), NOW)) == 8


def test_a_file_cut_anywhere_or_changed_anywhere_is_dropped(disk: Disk) -> None:
    held = entry("a", body=b"hello world")
    disk.store.put(held, NOW)
    (path,) = disk.files()
    whole = path.read_bytes()
    damaged = [whole[:size] for size in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(0, len(whole), 5)]
    for text in [*damaged, whole + b"x"]:
        disk.store.put(held, NOW)
        (path,) = disk.files()
        path.write_bytes(text)
        assert disk.read("a") == [None]
        assert disk.read("a") == []
    assert len(disk.reports) == disk.stats.corrupt == len(damaged) + 1
    assert disk.files() == []
    assert disk.store.index.total() == 0


def test_long_content_is_checked_by_length_and_streamed(disk: Disk) -> None:
    body = os.urandom(3_000_000)
    disk.store.put(entry("a", body=body), NOW)
    (found,) = disk.store.get(key("a"), NOW)
    assert isinstance(found.body, DiskBody)
    file = found.body.open(found.length)
    assert file is not None
    assert os.pread(file.fd, file.length, file.offset) == body
    assert file.read_at(2_999_990, 100) == body[-10:]
    path = disk.files()[0]
    os.truncate(path, path.stat().st_size - 1)
    assert disk.read("a") == [None]


def test_an_open_body_outlives_its_eviction(disk: Disk) -> None:
    disk.store.put(entry("a"), NOW)
    (found,) = disk.store.get(key("a"), NOW)
    assert isinstance(found.body, DiskBody)
    body = found.body.open(found.length)
    assert body is not None
    finish(disk.store.purging(Purge(Scope.ALL)))
    assert body.read() == b"hello"


def test_the_least_recently_used_entries_go_first(tmp_path: Path) -> None:
    disk = Disk(tmp_path, limit=140_000)
    for number in range(20):
        disk.store.put(entry(f"a{number}", body=b"x" * 900), NOW + number)
    disk.store.get(key("a0"), NOW + 1000)
    disk.store.flush(NOW + 1000)
    for number in range(20, 30):
        disk.store.put(entry(f"a{number}", body=b"x" * 900), NOW + 2000)
    assert disk.read("a0") == [b"x" * 900]
    assert disk.read("a1") == []
    assert disk.store.index.total() <= 140_000
    assert disk.stats.evicted_disk == 30 - len(disk.files())
    disk.environment.close()


def test_the_limit_holds_for_every_put(tmp_path: Path) -> None:
    disk = Disk(tmp_path, limit=60_000)
    for number in range(60):
        assert disk.store.put(entry(f"a{number}", body=b"x" * (number * 150)), NOW + number)
        assert disk.store.index.total() <= 60_000
    assert disk.store.put(entry("large", body=b"x" * 70_000), NOW) is None
    assert len(disk.files()) > 2
    disk.environment.close()


def test_a_full_disk_stores_nothing_and_says_so(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    assert disk.store.put(entry("a"), NOW) is None
    monkeypatch.undo()
    assert disk.stats.failed_writes == 1
    assert "No space left" in disk.reports[0]
    assert disk.files() == []
    assert disk.read("a") == []


def test_a_full_index_makes_room_or_fails_softly(tmp_path: Path) -> None:
    environment, stats = Environment(tmp_path, 256 * 1024), Stats()
    store = DiskStore(environment, 100_000_000, stats, lambda event, **fields: None)
    kept = sum(store.put(entry(f"a{number}"), NOW + number) is not None for number in range(300))
    assert kept > 100
    assert len([path for path in store.objects.rglob("*") if path.is_file()]) <= kept
    environment.close()


def test_update_changes_the_head_and_keeps_the_file(disk: Disk) -> None:
    disk.store.put(entry("a"), NOW)
    files = disk.files()
    assert disk.store.update(entry("a", "X-A: new", "Cache-Tag: t"), NOW)
    (found,) = disk.store.get(key("a"), NOW)
    assert found.headers.get(b"x-a") == b"new"
    assert (disk.files(), disk.read("a")) == (files, [b"hello"])
    assert finish(disk.store.purging(Purge(Scope.TAG, b"t"))) == 1
    assert not disk.store.update(entry("a"), NOW)


@pytest.mark.parametrize(
    ("purge", "left"),
    [
        (Purge(Scope.URL, b"http://example.com/a"), "b b/c d"),
        (Purge(Scope.PREFIX, b"http://example.com/b"), "a d"),
        (Purge(Scope.TAG, b"t"), "b b/c"),
        (Purge(Scope.ALL), ""),
    ],
)
def test_purge(disk: Disk, purge: Purge, left: str) -> None:
    names = ["a", "b", "b/c", "d"]
    for name, fields in (("a", ("Cache-Tag: s t",)), ("b", ()), ("b/c", ()), ("d", ("Cache-Tag: t",))):
        disk.store.put(entry(name, *fields), NOW)
    assert finish(disk.store.purging(purge)) == 4 - len(left.split())
    assert [name for name in names if disk.read(name)] == left.split()
    assert len(disk.files()) == len(left.split())


def test_purge_in_many_batches_finds_long_urls_too(disk: Disk) -> None:
    long = "x" * 600
    for number in range(200):
        disk.store.put(entry(f"{long}{number}"), NOW)
    disk.store.put(entry("x"), NOW)
    assert finish(disk.store.purging(Purge(Scope.URL, key(f"{long}7")))) == 1
    assert finish(disk.store.purging(Purge(Scope.PREFIX, key(long + "1")))) == 111
    assert finish(disk.store.purging(Purge(Scope.ALL))) == 89
    assert disk.store.index.total() == 0


def test_a_soft_purge_marks(disk: Disk) -> None:
    disk.store.put(entry("a"), NOW)
    assert finish(disk.store.purging(Purge(Scope.ALL, soft=True))) == 1
    assert disk.store.get(key("a"), NOW)[0].invalid
    assert disk.read("a") == [b"hello"]


def test_rests_are_swept_and_stored_files_are_not(disk: Disk) -> None:
    disk.store.put(entry("a"), NOW)
    (kept,) = disk.files()
    rest = kept.parent / ("00" * 28 + "-" + "00" * 8)
    rest.write_bytes(b"")
    begun = disk.store.begin()
    assert begun is not None
    assert sum(disk.store.sweep(time.time())) == 0
    assert sum(disk.store.sweep(time.time() + 1000)) == 2
    assert disk.files() == [kept]


def test_after_a_power_cut_nothing_is_trusted(disk: Disk) -> None:
    disk.store.put(entry("a"), NOW)
    disk.environment.close()
    (disk.path / "boot").write_text("another boot")
    disk.open()
    assert disk.environment.emptied
    assert (disk.read("a"), disk.files()) == ([], [])


def waits_for_a_lock() -> bool:
    """True if a thread of this process waits for a lock of a file."""
    waiting = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
    return any(fields[2] == "FLOCK" and fields[5] == str(os.getpid()) for fields in waiting)


def test_a_folder_is_emptied_by_the_first_of_the_processes_that_start_together(tmp_path: Path) -> None:
    """The others wait for it: each that emptied the folder again would take the index away from those that use it."""
    (tmp_path / "boot").write_text("another boot")
    opened: list[Environment] = []
    other = threading.Thread(target=lambda: opened.append(Environment(tmp_path, MAP)))
    first = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(first, fcntl.LOCK_EX)
        other.start()
        end = time.monotonic() + 30
        while not opened and not waits_for_a_lock():
            assert time.monotonic() < end
        (tmp_path / "boot").write_text(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    finally:
        os.close(first)
    other.join(30)
    (environment,) = opened
    assert not environment.emptied
    environment.close()


def test_a_folder_is_marked_clean_by_the_last_process_that_closes_it(tmp_path: Path) -> None:
    mark = tmp_path / "boot"
    first = Environment(tmp_path, MAP)
    boot = mark.read_text()
    assert boot != "clean"
    with open_elsewhere(tmp_path):
        first.close()
        assert mark.read_text() == boot
    assert mark.read_text() == "clean"


def test_a_killed_process_leaves_the_mark_to_the_others(tmp_path: Path) -> None:
    first = Environment(tmp_path, MAP)
    with open_elsewhere(tmp_path) as process:
        process.kill()
        process.wait()
        first.close()
    assert (tmp_path / "boot").read_text() == "clean"


def test_a_folder_that_another_process_has_open_is_not_emptied(tmp_path: Path) -> None:
    with open_elsewhere(tmp_path):
        (tmp_path / "boot").write_text("another boot")
        second = Environment(tmp_path, MAP)
        second.close()
    assert not second.emptied


def test_a_folder_that_cannot_be_opened_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "data.mdb").write_bytes(b"no database" * 10_000)
    with pytest.raises(lmdb.Error):
        Environment(tmp_path, MAP)
    (tmp_path / "index" / "data.mdb").unlink()
    (tmp_path / "boot").write_text("another boot")
    environment = Environment(tmp_path, MAP)
    assert environment.emptied
    environment.close()


OPEN = """
import sys
from pathlib import Path
from adc.cache.environment import Environment
environment = Environment(Path(sys.argv[1]), 1 << 24)
print("open", flush=True)
sys.stdin.read()
environment.close()
"""


@contextlib.contextmanager
def open_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Have a process open the folder, and close it in the end."""
    command = [sys.executable, "-c", OPEN, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process


WRITE_FOREVER = """
import sys, os
from pathlib import Path
from adc.cache.disk import DiskStore
from adc.cache.environment import Environment
from adc.cache.stats import Stats
from adc.telemetry.log_line import LoggedEvent
from tests.unit.cache.test_disk import entry, MAP, NOW
store = DiskStore(Environment(Path(sys.argv[1]), MAP), 10**8, Stats(), print)
number = 0
while True:
    body = bytes([number % 256]) * (20_000 + number)
    assert store.put(entry(f"a{number}", body=body), NOW)
    number += 1
    if number == 20:
        print("ready", flush=True)
"""


def test_a_writer_killed_at_work_loses_at_most_its_last_entry(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    disk = Disk(tmp_path)
    number = 0
    while bodies := disk.read(f"a{number}"):
        assert bodies == [bytes([number % 256]) * (20_000 + number)]
        number += 1
    assert number >= 20
    assert len(disk.files()) <= number + 1
    assert disk.reports == []
    disk.environment.close()


def test_an_unfinished_file_is_never_found(disk: Disk) -> None:
    writer = disk.store.begin()
    assert isinstance(writer, FileWriter)
    writer.write(b"hel")
    assert disk.read("a") == []
    writer.write(b"lo")
    assert writer.read_at(1, 3) == b"ell"
    stored_as = disk.store.commit(writer, entry("a"), NOW)
    assert stored_as is not None
    assert not stored_as.replaced
    assert disk.read("a") == [b"hello"]
    assert writer.read_at(0, 99) == b"hello"


def test_folder_that_is_not_kept_is_emptied_by_its_first_and_its_last_user(tmp_path):
    former = Environment(tmp_path, MAP)
    (tmp_path / "objects").mkdir()
    former.close()
    first = Environment(tmp_path, MAP, kept=False)
    assert first.emptied
    assert not (tmp_path / "objects").exists()
    (tmp_path / "objects").mkdir()
    first.close()
    assert not (tmp_path / "objects").exists()
    assert not (tmp_path / "index").exists()
