"""Outlier ejection: a member whose responses keep failing is ejected for a while (passive health)."""

from __future__ import annotations

from adc.pools.errors import FailureSource, Outcome
from adc.pools.member import Member

FAILED_STATUSES = frozenset({500, 502, 503, 504})
FAILED_SHARE = 0.5
MAX_BACK_OFF = 10
"""The longest ejection, in multiples of the first."""


class _Record:
    """Results of one member in the current window."""

    __slots__ = ("failed", "opened", "row", "total")

    def __init__(self, now: float) -> None:
        self.opened = now
        self.total = 0
        self.failed = 0
        self.row = 0


class Outlier:
    """Ejects a member after `failures` failures within `window` seconds, if they came in a row or were at least half
    of its responses: a busy member with a few errors among thousands of responses stays.

    The first ejection lasts `eject` seconds, each following one `eject` longer, up to MAX_BACK_OFF times; a member
    that then serves well for the longest ejection starts again at the shortest. A member that cannot be connected to is
    out for `unreachable` seconds instead, if given: active checks follow it. At most the share `max_ejected` of the
    pool is out at a time. Failures caused by the client or by adc do not count.
    """

    __slots__ = ("_eject", "_failures", "_max_ejected", "_records", "_statuses", "_unreachable", "_window")

    def __init__(
        self,
        *,
        failures: int = 5,
        window: float = 10.0,
        eject: float = 30.0,
        max_ejected: float = 0.5,
        statuses: frozenset[int] = FAILED_STATUSES,
        unreachable: float | None = None,
    ) -> None:
        self._failures = failures
        self._window = window
        self._eject = eject
        self._max_ejected = max_ejected
        self._statuses = statuses
        self._unreachable = unreachable
        self._records: dict[Member, _Record] = {}

    def observe(self, member: Member, outcome: Outcome, now: float) -> bool:
        """Count one outcome; True when it makes `member` an outlier."""
        if isinstance(outcome, int):
            failed = outcome in self._statuses
        elif outcome.source is FailureSource.MEMBER:
            failed = True
        else:
            return False
        record = self._records.get(member)
        if record is None or now - record.opened >= self._window:
            record = self._records[member] = _Record(now)
        record.total += 1
        if not failed:
            record.row = 0
            return False
        record.row += 1
        record.failed += 1
        if record.failed < self._failures:
            return False
        return record.row >= self._failures or record.failed >= record.total * FAILED_SHARE

    def succeeded(self, outcome: Outcome) -> bool:
        """True if `outcome` is a response that is no failure."""
        return isinstance(outcome, int) and outcome not in self._statuses

    def room(self, members: tuple[Member, ...]) -> bool:
        """True if one more of `members` may be ejected."""
        return self._spare_places(members) > 0

    def excess(self, members: tuple[Member, ...]) -> list[Member]:
        """Return the ejected `members` that must return to respect the limit: the ones that would return first."""
        ejected = sorted((member for member in members if member.ejected), key=lambda m: m.ejected_until)
        return ejected[: max(-self._spare_places(members), 0)]

    def _spare_places(self, members: tuple[Member, ...]) -> int:
        return int(len(members) * self._max_ejected) - sum(member.ejected for member in members)

    def eject(self, member: Member, now: float, unreachable: bool = False) -> None:
        """Mark `member` ejected and set until when."""
        if unreachable and self._unreachable is not None:
            member.ejected = True
            member.ejected_until = now + self._unreachable
            self._records.pop(member, None)
            return
        longest = self._eject * MAX_BACK_OFF
        forgotten = now - member.ejected_until >= longest
        member.ejections = 1 if forgotten else member.ejections + 1
        member.ejected = True
        member.ejected_until = now + min(self._eject * member.ejections, longest)
        self._records.pop(member, None)
