"""Sessions of the whole node: one worker speaks for all where the table is shared, else all are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adc.admin.node import Refused, Unavailable
from adc.control.calls import CallFailed, CallRefused

if TYPE_CHECKING:
    from adc.control.fleet import Fleet


async def list_sessions(fleet: Fleet, shared: bool, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """`rows` and `cursor`. Tables of several workers are not paged: the cursor is None then.

    Raises Refused, Unavailable.
    """
    pages = await _ask(fleet, shared, "sessions.list", wanted)
    if shared:
        return pages[0]
    rows: dict[tuple[str, str], Any] = {}
    for page in pages:
        for row in page["rows"]:
            known = rows.setdefault((row["pool"], row["client"]), row)
            rows[row["pool"], row["client"]] = max(known, row, key=lambda each: each["seen"])
    return {"rows": list(rows.values()), "cursor": None}


async def drop_sessions(fleet: Fleet, shared: bool, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Drop sessions and return their number as `dropped`. Raises Refused, Unavailable."""
    dropped = 0
    asked = dict(wanted)
    while True:
        pages = await _ask(fleet, shared, "sessions.drop", asked)
        dropped += max(page["dropped"] for page in pages)
        cursors = [page["cursor"] for page in pages if page["cursor"] is not None]
        if not cursors:
            return {"dropped": dropped}
        asked["cursor"] = min(cursors)


async def _ask(
    fleet: Fleet, shared: bool, command: str, arguments: Mapping[str, Any]
) -> list[dict[str, Any]]:
    try:
        if shared:
            return [await fleet.call_one(command, arguments)]
        answers = await fleet.call_all(command, arguments)
    except CallRefused as error:
        raise Refused(str(error)) from error
    except CallFailed as error:
        raise Unavailable(str(error)) from error
    return [answers[worker_id] for worker_id in sorted(answers)]
