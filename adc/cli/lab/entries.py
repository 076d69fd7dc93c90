"""Watches the session table of a node, or the kernel's, and notes when entries come, change and go."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from adc.cli.lab.namespace import Namespace
from adc.cli.lab.node import ADMIN_PORT
from adc.cli.lab.timeline import CLOSED, NOTE, OPENED, Journal

INTERVAL = 0.02
"""Seconds between two looks at a table."""

_SETTLE = 0.15
"""Seconds in which the last change of a table is noticed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a table at this moment.

    `since` is when it came and `until` when it ended, in seconds since 1970, None if unknown. `reason` is why it has
    ended, "" before.
    """

    state: str
    member: str = ""
    since: float | None = None
    reason: str = ""
    until: float | None = None


Look = Callable[[], dict[str, Entry]]


@contextmanager
def watched(space: Namespace, look: Look, journal: Journal) -> Iterator[None]:
    """Note changes of the table that `look` reads, inside the namespace, while the block runs."""
    over = threading.Event()

    def watch() -> None:
        before: dict[str, Entry] = {}
        while not over.wait(INTERVAL):
            try:
                now = look()
            except (OSError, HTTPException, ValueError, RuntimeError):
                continue
            _note_changes(space.role, before, now, journal)
            before = now

    thread = threading.Thread(target=space.call, args=(watch,))
    thread.start()
    try:
        yield
        time.sleep(_SETTLE)
    finally:
        over.set()
        thread.join()


def _note_changes(place: str, before: dict[str, Entry], now: dict[str, Entry], journal: Journal) -> None:
    for key, entry in now.items():
        known = before.get(key)
        if known is None:
            journal.add(place, _opening(entry), OPENED, entry.since)
        if entry.reason and (known is None or not known.reason):
            journal.add(place, f"entry ends: {entry.reason}", CLOSED, entry.until)
        elif known is not None and known.state != entry.state:
            journal.add(place, f"entry: {entry.state}", NOTE)
    for key in before.keys() - now.keys():
        if not before[key].reason:
            journal.add(place, "entry is gone", CLOSED)


def _opening(entry: Entry) -> str:
    return f"new entry: {entry.state}" + (f", member {entry.member}" if entry.member else "")


def adc_table(wanted: Callable[[dict[str, str]], bool] = lambda row: True) -> Look:
    """Return a look at the session table of the node in the namespace, at the rows that are `wanted`."""

    def look() -> dict[str, Entry]:
        entries = {}
        for ended in (False, True):
            for row in _rows("?ended=true" if ended else ""):
                if wanted(row):
                    since, until = float(row["created"]), float(row["ended"]) or None
                    entries[row["id"]] = Entry(row["state"], row["member"], since, row["reason"], until)
        return entries

    return look


def _rows(query: str) -> list[dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", ADMIN_PORT, timeout=2.0)
    try:
        connection.request("GET", f"/api/v1/flows{query}")
        response = connection.getresponse()
        rows: list[dict[str, str]] = json.loads(response.read())["rows"] if response.status == 200 else []
        return rows
    finally:
        connection.close()


_TRACKED = re.compile(r"tcp\s+6 (\d+) (?P<state>[A-Z_]+) src=(?P<source>\S+) dst=\S+ sport=(?P<port>\d+)")


def kernel_table(space: Namespace, port: int) -> Look:
    """Return a look at the kernel's entries of TCP connections to a port of the namespace."""

    def look() -> dict[str, Entry]:
        listing = space.run(["conntrack", "-L", "-p", "tcp", "--orig-port-dst", str(port)])
        found = (_TRACKED.search(line) for line in listing.splitlines())
        return {match["port"]: Entry(match["state"].lower().replace("_", " ")) for match in found if match}

    return look
