"""The tables, counters, gauges, HTTP clients and processes that one use of a plugin has declared."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

from adc.plugin.http_client import HttpClient
from adc.plugin.metrics import Counter, Gauge, KeyedCounter
from adc.plugin.names import check_name
from adc.plugin.processes import Processes
from adc.plugin.switch import Switch
from adc.plugin.table import MOST_ENTRIES, SCOPES, Scope, Table
from adc.state.interface import Store

MOST_TABLES = 16
MOST_CLIENTS = 16
MOST_POOLS = 4
MOST_METRICS = 100
MOST_KEYS = 2000
LONGEST_HELP = 200


class DeclaredTable(NamedTuple):
    """A table, the store that it is in, its name there and its size."""

    table: Table
    store: Store
    stored_as: str
    size: int

    def resize(self) -> None:
        """Give the table in the store this size again."""
        self.store.table(self.stored_as, self.size)


class Declared:
    """Grows until it is sealed. Raises ValueError for a declaration that breaks a rule, RuntimeError after the seal."""

    def __init__(self) -> None:
        self.counters: dict[str, Counter] = {}
        self.gauges: dict[str, Gauge] = {}
        self.keyed: dict[str, KeyedCounter] = {}
        self.switches: dict[str, Switch] = {}
        self.tables: dict[str, DeclaredTable] = {}
        self._clients: list[HttpClient] = []
        self._pools: list[Processes] = []
        self._sealed = False

    def seal(self) -> None:
        """Allow no further declaration."""
        self._sealed = True

    def check_table(self, name: str, size: int, scope: Scope) -> None:
        """Raise unless the table may be declared."""
        self._check("table", name, self.tables, len(self.tables), MOST_TABLES)
        if not 1 <= size <= MOST_ENTRIES:
            raise ValueError(f"table {name} has a size of {size}; allowed: 1 to {MOST_ENTRIES} entries")
        if scope not in SCOPES:
            raise ValueError(f"table {name} has an unknown scope {scope!r}; use {' or '.join(SCOPES)}")

    def check_switch(self, name: str) -> None:
        """Raise unless the switch may be declared."""
        self._check("switch", name, self.switches, len(self.switches), MOST_TABLES)

    def counter(self, name: str, text: str) -> Counter:
        """Declare a counter."""
        self._check_metric("counter", name, text)
        return self.counters.setdefault(name, Counter(name, text))

    def gauge(self, name: str, text: str) -> Gauge:
        """Declare a gauge."""
        self._check_metric("gauge", name, text)
        return self.gauges.setdefault(name, Gauge(name, text))

    def keyed_counter(self, name: str, text: str, most: int) -> KeyedCounter:
        """Declare a counter with a key."""
        if not 1 <= most <= MOST_KEYS:
            raise ValueError(f"counter {name} has {most} keys; allowed: 1 to {MOST_KEYS}")
        self._check_metric("counter", name, text)
        return self.keyed.setdefault(name, KeyedCounter(name, text, most))

    def client(self, client: HttpClient) -> HttpClient:
        """Declare an HTTP client."""
        self._check("HTTP client", f"number_{len(self._clients)}", (), len(self._clients), MOST_CLIENTS)
        self._clients.append(client)
        return client

    def processes(self, pool: Processes) -> Processes:
        """Declare a pool of processes."""
        self._check("pool of processes", f"number_{len(self._pools)}", (), len(self._pools), MOST_POOLS)
        self._pools.append(pool)
        return pool

    async def close(self) -> None:
        """Close the HTTP clients, end the processes."""
        for client in self._clients:
            await client.close()
        for pool in self._pools:
            await pool.close()

    def helps(self) -> Iterator[tuple[str, str]]:
        """Yield the name and help of each counter and gauge."""
        for counter in self.counters.values():
            yield counter.name, counter.help
        for keyed in self.keyed.values():
            yield keyed.name, keyed.help
        for gauge in self.gauges.values():
            yield gauge.name, gauge.help

    def _check_metric(self, kind: str, name: str, text: str) -> None:
        known = self.counters.keys() | self.gauges.keys() | self.keyed.keys()
        self._check(kind, name, known, len(known), MOST_METRICS)
        if not text or len(text) > LONGEST_HELP or not text.isprintable():
            raise ValueError(
                f"{kind} {name} has a help of {len(text)} characters; "
                f"allowed: 1 to {LONGEST_HELP} printable ones, no line break"
            )

    def _check(self, kind: str, name: str, known: Container[str], number: int, most: int) -> None:
        if self._sealed:
            raise RuntimeError(f"{kind} {name} is declared too late; declare it in start")
        check_name(kind, name, known)
        if number >= most:
            raise ValueError(f"{kind} {name} is one too many; a plugin declares at most {most}")
