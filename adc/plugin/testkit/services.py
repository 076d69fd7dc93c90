"""Services for a plugin under test: tables in memory, and a clock that stands still until the test moves it."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

from adc.plugin.http_client import HttpLimits
from adc.plugin.processes import ProcessLimits
from adc.plugin.table import Scope
from adc.plugin.testkit.http import FakeClient, FakeHttp
from adc.plugin.testkit.outcome import Messages
from adc.plugin.testkit.processes import FakeProcesses
from adc.state.allowance import Allowance, Granted
from adc.state.interface import Counted, Merge, Status, take_from
from adc.state.key_ring import KeyRing
from adc.state.memory import MemoryStore, MemoryTable

EPOCH = 1_800_000_000.0


class FakeStore(MemoryStore):
    """A store in memory that can be down: then it confirms no exact addition."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self._opened: dict[str, FakeTable] = {}

    def table(self, name: str, size: int, merge: Merge | None = None) -> FakeTable:
        """Return the table called `name`."""
        table = self._opened.setdefault(name, FakeTable(self, name, size))
        table.size, table.merge = size, merge
        return table

    def status(self) -> Status:
        """Return whether the store is down."""
        return Status(self.down, "the test says so" if self.down else "")


class FakeTable(MemoryTable):
    """A table of such a store."""

    def __init__(self, store: FakeStore, name: str, size: int) -> None:
        super().__init__(name, size)
        self._store_of_test = store

    def add_exactly(self, key: bytes, amount: int, ttl: float, now: float, done: Counted) -> None:
        """Add, unless the store is down."""
        done(None if self._store_of_test.down else self.add(key, amount, ttl, now))

    def take_exactly(
        self, key: bytes, allowance: Allowance, least: int, want: int, now: float, done: Granted
    ) -> None:
        """Take, unless the store is down."""
        done(None if self._store_of_test.down else take_from(self, key, allowance, least, want, now))


class FakeLog:
    """A log file that keeps its lines."""

    dropped = 0

    def __init__(self) -> None:
        self.lines: list[str] = []

    def append(self, line: str) -> None:
        """Keep one line."""
        self.lines.append(line)


class FakeServices:
    """Services with a separate clock."""

    def __init__(self) -> None:
        self.log = Messages()
        self.shares_rates = True
        self.stores: dict[Scope, FakeStore] = {"node": FakeStore(), "cluster": FakeStore()}
        self.files: dict[str, FakeLog] = {}
        self.http = FakeHttp()
        self.pool = FakeProcesses()
        self.secrets = KeyRing([b"secret of the node"])
        self._passed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()

    @property
    def sleeping(self) -> int:
        """The number of tasks in `sleep`."""
        return sum(not wake.done() for _, _, wake in self._sleepers)

    @property
    def next_due(self) -> float | None:
        """The time until the next task in `sleep` is due, None if there is none."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] - self._passed if self._sleepers else None

    def now(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    def wall(self) -> float:
        """Return the seconds since the epoch."""
        return EPOCH + self._passed

    async def sleep(self, seconds: float) -> None:
        """Wait until the test has let `seconds` pass."""
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed + max(0.0, seconds), next(self._number), wake))
        await wake

    def log_file(self, path: str) -> FakeLog:
        """Return the log at `path`, which is kept in memory."""
        return self.files.setdefault(path, FakeLog())

    def cache_folder(self, plugin: str) -> None:
        """Return None: a test leaves nothing behind."""

    def processes(self, limits: ProcessLimits) -> FakeProcesses:
        """Return the processes of the test."""
        return self.pool

    def http_client(self, limits: HttpLimits) -> FakeClient:
        """Return a client that gets the replies of the test."""
        return FakeClient(self.http)

    async def keys(self) -> KeyRing:
        """Return the secrets of the node."""
        return self.secrets

    def store(self, scope: Scope) -> FakeStore:
        """Return the store of that scope."""
        return self.stores[scope]

    def advance(self, seconds: float) -> None:
        """Move the clock and wake the tasks that are due."""
        self._passed += seconds
        while self._sleepers and self._sleepers[0][0] <= self._passed:
            wake = heapq.heappop(self._sleepers)[2]
            if not wake.done():
                wake.set_result(None)
