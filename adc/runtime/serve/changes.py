"""Changes of members' states, as lines of the error log."""

from __future__ import annotations

from collections.abc import Callable

from adc.pools.member import Member
from adc.telemetry.error_log import ErrorLog

_GOOD = frozenset({"enabled", "unknown", "up"})


def teller(error_log: ErrorLog, first: bool, following: Callable[[], None]) -> Callable[[Member, str], None]:
    """Return the observer of member states in the pools of one worker: it logs changes and calls `following`."""

    def changed(member: Member, before: str) -> None:
        after = member.state
        if after != before and (first or "ejected" in (before, after)):
            log = error_log.info if after in _GOOD else error_log.warn
            log(
                "member_state",
                pool=member.pool,
                member=member.address,
                before=before,
                after=after,
                reason=member.reason,
            )
        following()

    return changed
