"""One fetch for simultaneous misses, across workers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adc.cache.environment import Environment
from adc.cache.lease import Busy, Lease, LeaseTable

KEY = b"k"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    environment = Environment(tmp_path, 1024 * 1024)
    yield environment
    environment.close()


@pytest.fixture
def tables(environment: Environment) -> tuple[LeaseTable, LeaseTable]:
    """Two workers: this process and its parent stand for them."""
    return LeaseTable(environment), LeaseTable(environment, os.getppid())


def test_one_holds_and_the_other_waits(tables: tuple[LeaseTable, LeaseTable]) -> None:
    one, two = tables
    lease = one.acquire(KEY, 0, 30)
    assert isinstance(lease, Lease)
    assert two.acquire(KEY, 1, 30) == Busy(30)
    assert isinstance(two.acquire(b"other", 1, 30), Lease)


def test_a_release_is_noticed_and_frees(tables: tuple[LeaseTable, LeaseTable]) -> None:
    one, two = tables
    lease = one.acquire(KEY, 0, 30)
    before = two.changes()
    one.release(lease)
    assert two.changes() != before
    assert isinstance(two.acquire(KEY, 1, 30), Lease)


def test_a_lease_runs_out(tables: tuple[LeaseTable, LeaseTable]) -> None:
    one, two = tables
    old = one.acquire(KEY, 0, 30)
    new = two.acquire(KEY, 30, 30)
    assert isinstance(new, Lease)
    one.release(old)
    assert one.acquire(KEY, 31, 30) == Busy(60)
    assert not one.renew(old, 31, 30)
    assert two.renew(new, 40, 30)
    assert one.acquire(KEY, 61, 30) == Busy(70)


def test_after_an_uncacheable_response_nobody_waits(tables: tuple[LeaseTable, LeaseTable]) -> None:
    one, two = tables
    one.release(one.acquire(KEY, 0, 30), pass_until=10)
    assert two.acquire(KEY, 9, 30) is None
    assert isinstance(two.acquire(KEY, 10, 30), Lease)


def test_the_lease_of_a_dead_worker_is_free(
    environment: Environment, tables: tuple[LeaseTable, LeaseTable]
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    dead = LeaseTable(environment, process.pid)
    assert isinstance(dead.acquire(KEY, 0, 30), Lease)
    assert isinstance(tables[0].acquire(KEY, 1, 30), Lease)


def test_outdated_leases_do_not_pile_up(
    environment: Environment, tables: tuple[LeaseTable, LeaseTable]
) -> None:
    for number in range(2000):
        assert isinstance(tables[0].acquire(b"%d" % number, number * 100, 30), Lease)
    with environment.lmdb.begin(db=environment.lmdb.open_db(b"leases")) as txn:
        assert txn.stat()["entries"] < 1000


def test_table_of_leases_is_bounded(
    tables: tuple[LeaseTable, LeaseTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adc.cache.lease.MOST_LEASES", 20)
    for number in range(20):
        assert isinstance(tables[0].acquire(b"%d" % number, 0, 30), Lease)
    assert tables[0].acquire(b"more", 1, 30) is None
    assert isinstance(tables[1].acquire(b"7", 1, 30), Busy)
    tables[0].acquire(b"more", 31, 30)  # clears outdated ones away
    assert isinstance(tables[0].acquire(b"more", 31, 30), Lease | Busy)
