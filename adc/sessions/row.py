"""Sessions as operators see them: `adc sessions list|show|watch`."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from adc.sessions.ended import Ended
from adc.sessions.session import STATES, Session


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A session. `id` is the worker and the number of the session there; `client` and `own` are addresses.

    `created` and `seen` (last activity) are wall-clock seconds, `left` seconds until it expires without activity.
    `_in` counts what the client sent. `reason` is why an ended session ended, empty before; `ended` is when, 0 before.
    """

    kind: str
    id: str
    protocol: str
    listener: str
    client: str
    own: str
    pool: str
    member: str
    state: str
    bytes_in: int
    bytes_out: int
    packets_in: int
    packets_out: int
    created: float
    seen: float
    left: float
    reason: str
    ended: float = 0.0

    def __reduce__(self) -> tuple[type[FlowRow], tuple[Any, ...]]:
        return FlowRow, _VALUES(self)  # a third of the time that a dataclass takes by itself


_VALUES = attrgetter(*FlowRow.__slots__)


def flow_row(session: Session, worker: int, now: float, wall: float) -> FlowRow:
    """Return a live session as a row; `now` and `wall` are the same moment on both clocks."""
    session.refresh(now)
    return _row(session, worker, wall - now, max(0.0, session.deadline - now), "")


def ended_row(ended: Ended, worker: int, now: float, wall: float) -> FlowRow:
    """Return a session that has ended as a row."""
    return _row(ended, worker, wall - now, 0.0, ended.reason, ended.at + wall - now)


def address_text(address: Any) -> str:
    """Return an address as text: `192.0.2.1:80`, `[2001:db8::1]:80`, a path; "-" for none."""
    if isinstance(address, tuple) and len(address) > 1:
        host, port = str(address[0]), address[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(address, bytes):
        return address.decode("utf-8", "backslashreplace")
    return str(address) if address else "-"


def _row(
    each: Session | Ended, worker: int, offset: float, left: float, reason: str, at: float = 0.0
) -> FlowRow:
    return FlowRow(
        "flow",
        f"{worker}-{each.number}",
        each.protocol,
        each.listener,
        address_text(each.client),
        address_text(each.own),
        each.pool,
        each.member,
        STATES[each.state],
        each.bytes_in,
        each.bytes_out,
        each.packets_in,
        each.packets_out,
        each.created + offset,
        each.last + offset,
        left,
        reason,
        at,
    )
