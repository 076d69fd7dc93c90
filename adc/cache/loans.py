"""Content of the memory tier that is being sent to clients.

Evicted content is no longer an entry, but stays in memory until the last client has it.
"""

from __future__ import annotations

from collections.abc import Iterable

from adc.cache.claims import Claims
from adc.cache.entry import Entry


class _Loan:
    __slots__ = ("body", "claimed", "users")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.users = 0
        self.claimed = False


class Loans:
    """Bodies in use, by identity. Content dropped from the store while in use stays claimed until it is returned."""

    __slots__ = ("_claims", "_open")

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._open: dict[int, _Loan] = {}

    def __len__(self) -> int:
        return len(self._open)

    def lend(self, body: bytes) -> None:
        """Count one more client to which `body` of an entry is being sent."""
        loan = self._open.setdefault(id(body), _Loan(body))
        loan.users += 1

    def give_back(self, body: bytes) -> None:
        """Note that one client fewer uses the body."""
        loan = self._open[id(body)]
        loan.users -= 1
        if not loan.users:
            del self._open[id(body)]
            if loan.claimed:
                self._claims.release(len(body))

    def dropped(self, old: Iterable[Entry], kept: Iterable[Entry]) -> None:
        """Note that `kept` replaced the entries `old`."""
        for body in {id(entry.body) for entry in old} - {id(entry.body) for entry in kept}:
            loan = self._open.get(body)
            if loan is not None and not loan.claimed:
                loan.claimed = True
                self._claims.take(len(loan.body))
