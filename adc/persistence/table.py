"""Persistence by a table: a key from the request leads to the pin, which all workers (and nodes) share."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from adc.http.client import Flow
from adc.http.headers import Headers
from adc.http.message import Request
from adc.persistence.decide import Stickiness
from adc.persistence.interface import PENDING, Pending, PinCounts
from adc.persistence.pin import Pin, first_pin, pin_of, unpack_pin
from adc.state.interface import UNKNOWN, Entry, Table

F = TypeVar("F", bound=Flow)
"""The flows that a key is taken from: any, or HTTP requests."""

KeyOf = Callable[[F], bytes | None]

_MAX_PENDING_HITS = 10_000


class TablePersistence(Generic[F]):
    """A `Persistence` over `table`, which must have been opened with `merge_pins` as its rule. Of several workers
    that pin a new client at one moment the first to write wins, and the others follow it.

    `node` is this node's name in a cluster. A pin in use is written again only once about a tenth of the
    timeout has passed; hits in between are counted here.
    """

    learns: ClassVar[bool] = False
    marks_requests: ClassVar[bool] = False
    marks_responses: ClassVar[bool] = False

    def __init__(
        self,
        table: Table,
        key: KeyOf[F],
        stickiness: Stickiness,
        node: str = "",
        counts: PinCounts | None = None,
    ) -> None:
        self._table = table
        self.key = key
        self._stickiness = stickiness
        self._keep = stickiness.keep
        self._lifetime = stickiness.lifetime
        self._node = node
        self._hits: dict[bytes, int] = {}
        self.counts = counts or PinCounts()

    def pinned(self, flow: F, now: float) -> Pin | Pending | None:
        key = self.key(flow)
        if key is None:
            return None
        entry = self._table.lookup(key, now)
        if entry is UNKNOWN:
            return PENDING
        pin = None if entry is None else pin_of(entry)  # `_pin` without its call
        return None if pin is None or self._stickiness.expired(pin, now) else pin

    def fetch(self, flow: F, now: float, done: Callable[[Pin | None], None]) -> None:
        key = self.key(flow)
        if key is None:
            done(None)
        else:
            self._table.fetch(key, now, lambda entry: done(self._pin(entry, now)))

    def assigned(self, flow: F, member: bytes, now: float, pin: Pin | None) -> bytes:
        key = self.key(flow)
        return member if key is None else self.pin(key, member, now, pin)

    def forward(self, headers: Headers) -> None:
        """No-op: this mode adds nothing to requests."""

    def response(
        self, request: Request, headers: Headers, member: bytes, now: float, pin: Pin | None
    ) -> None:
        """No-op: the pin was made when the member was chosen."""

    def pin(self, key: bytes, member: bytes, now: float, pin: Pin | None) -> bytes:
        """Write down that `key` belongs to `member`, if that is news. Returns the member that stands."""
        hits = self._hits
        if pin is None or pin.member != member:
            hits.pop(key, None)
            self.counts.created += pin is None
            moves = 0 if pin is None else pin.moves + 1
            return self._write(key, Pin(member, now, now, 1, moves, self._node), now)
        if not self._keep <= pin.expires - now <= self._lifetime and self._stickiness.refresh_due(pin, now):
            seen = pin._replace(seen=now, hits=pin.hits + hits.pop(key, 0) + 1)
            return self._write(key, seen, now)
        if key in hits:
            hits[key] += 1
            return member
        if len(hits) >= _MAX_PENDING_HITS:  # the longest without a refresh: that client may be gone
            del hits[next(iter(hits))]
        hits[key] = 1
        return member

    def claim(self, flow: F, member: bytes, now: float, done: Callable[[Pin | None], None]) -> None:
        """Pin a client that this machine does not know to `member`, unless another machine has pinned it. `done` gets
        the pin of the other machine, or None if the client belongs to `member` now."""
        key = self.key(flow)
        if key is None:
            done(None)
            return
        offered = Pin(member, now, now, 1, 0, self._node)
        value = offered.pack()

        def claimed(entry: Entry) -> None:
            won = entry.value == value
            self.counts.created += won
            done(None if won else self._pin(entry, now))

        self._table.claim(key, value, self._stickiness.expiry(now, now) - now, now, claimed)

    def _write(self, key: bytes, pin: Pin, now: float) -> bytes:
        """Write `pin` down and return the member that stands: another worker may have pinned the client a moment
        before."""
        stored = self._put(key, pin, now)
        if stored is not None and stored.moves >= pin.moves and self._stickiness.expired(stored, now):
            stored = self._put(key, pin._replace(moves=stored.moves + 1), now)
        return pin.member if stored is None else stored.member

    def _put(self, key: bytes, pin: Pin, now: float) -> Pin | None:
        ttl = self._stickiness.expiry(pin.created, now) - now
        return unpack_pin(self._table.set(key, pin.pack(), ttl, now, first_pin))

    def _pin(self, entry: Entry | None, now: float) -> Pin | None:
        pin = None if entry is None else pin_of(entry)
        return None if pin is None or self._stickiness.expired(pin, now) else pin
