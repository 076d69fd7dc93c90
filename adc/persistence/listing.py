"""Pins as operators see them: `adc sessions list|show|drop`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from operator import attrgetter
from typing import Any, NamedTuple

from adc.persistence.identity import plain_key, secret_key, shown_key
from adc.persistence.pin import unpack_pin
from adc.state.interface import Entry


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One entry. `member` is an address, or the id in hexadecimal if the pool has no such member any more;
    times are wall-clock seconds, `left` seconds that it lives on at least."""

    pool: str
    client: str
    member: str
    created: float
    seen: float
    left: float
    node: str
    hits: int
    moves: int
    kind: str = "pin"

    def __reduce__(self) -> tuple[type[SessionRow], tuple[Any, ...]]:
        return SessionRow, _VALUES(self)  # a third of the time that a dataclass takes by itself


_VALUES = attrgetter(*SessionRow.__slots__)


class SessionFilter(NamedTuple):
    """A filter of pins; an empty text and None match everything. `client` is a key as shown, or the session id
    itself. Ages are seconds since the pin was made."""

    pool: str = ""
    client: str = ""
    member: str = ""
    min_age: float | None = None
    max_age: float | None = None

    def matches(self, row: SessionRow, now: float) -> bool:
        """True if `row` passes the filter."""
        age = now - row.created
        return (
            (not self.pool or row.pool == self.pool)
            and (not self.client or row.client in self._clients())
            and (not self.member or row.member == self.member)
            and (self.min_age is None or age >= self.min_age)
            and (self.max_age is None or age <= self.max_age)
        )

    def _clients(self) -> set[str]:
        return {self.client, *(shown_key(key) for key in candidate_keys(self.client))}


def candidate_keys(client: str) -> list[bytes]:
    """Return the table keys that `client`, as shown or as the client sends it, may stand for: for `show` and
    `drop`."""
    keys = [plain_key(client), secret_key(client)]
    if client.startswith("#"):
        try:
            keys.insert(0, b"#" + bytes.fromhex(client[1:]))
        except ValueError:
            return keys
    return keys


def session_rows(
    pool: str,
    members: Mapping[bytes, str],
    entries: Iterable[tuple[bytes, Entry]],
    now: float,
    wanted: SessionFilter,
    slack: float = 0.0,
    timeout: float = inf,
) -> Iterator[SessionRow]:
    """Yield the entries of one page of `pool`'s table that `wanted` matches. `members` maps ids to addresses; `slack`
    is how long entries outlive their `timeout`. `now` may be behind the clock that an entry was written by."""
    for key, entry in entries:
        pin = unpack_pin(entry.value)
        if pin is None:
            continue
        row = SessionRow(
            pool=pool,
            client=shown_key(key),
            member=members.get(pin.member, pin.member.hex()),
            created=pin.created,
            seen=pin.seen,
            left=min(timeout, max(0.0, entry.expires - now - slack)),
            node=pin.node,
            hits=pin.hits,
            moves=pin.moves,
        )
        if wanted.matches(row, now):
            yield row
