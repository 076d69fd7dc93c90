"""The session table: how long it remembers flows, and what their end means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.base import Finding, Forms, Part
from adc.config.model.node import LogPath
from adc.config.model.types import OFF, Flag, duration, one_of, whole

EXPIRY = ("reset", "close", "silent")
UNKNOWN = ("reject", "accept", "redirect")

Idle = Annotated[float, duration("100ms", "30d")]


class SessionTimeouts(Part):
    """Idle times after which a session expires."""

    tcp: Idle = Field(350.0, description="Established TCP and SMTP sessions.")
    tcp_half_closed: Idle = Field(30.0, description="TCP sessions of which one end has closed its half.")
    udp: Idle = Field(30.0, description="UDP sessions in which only the client has sent.")
    udp_stream: Idle = Field(120.0, description="UDP sessions in which both ends have sent.")


class ListenerSessionTimeouts(Part):
    """Idle times of one listener; those of `sessions.timeouts` by default."""

    tcp: Idle | None = Field(None, description="Established TCP and SMTP sessions.")
    tcp_half_closed: Idle | None = Field(
        None, description="TCP sessions of which one end has closed its half."
    )
    udp: Idle | None = Field(None, description="UDP sessions in which only the client has sent.")
    udp_stream: Idle | None = Field(None, description="UDP sessions in which both ends have sent.")


class SessionKeepAlive(Part):
    """Intervals of TCP keep-alive probes; a session is idle only while none is acknowledged. 0 means no probes."""

    client: Annotated[float, duration("0s", "9h")] = Field(0.0, description="Probes to clients.")
    member: Annotated[float, duration("0s", "9h")] = Field(0.0, description="Probes to members.")


class SessionLog(Part):
    """One line per ended session. A bare string is `path`."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    path: LogPath = Field(description="A file; - or stdout for standard output; off.")
    format: Annotated[str, one_of("text", "json")] = Field("text", description="text or json.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


class Sessions(Part):
    """The table of all TCP, UDP and SMTP sessions of this node."""

    size: Annotated[int, whole(1, 10_000_000)] = Field(
        200_000,
        description=(
            "Maximum number of sessions in all workers. Above it the oldest session without a reply is "
            "ended, else the one idle longest."
        ),
    )
    timeouts: SessionTimeouts = Field(
        SessionTimeouts.defaults(), description="Idle times after which a session expires."
    )
    on_expiry: Annotated[str, one_of(*EXPIRY)] = Field(
        "reset",
        description=(
            "What client and member receive when a TCP session expires: reset (RST), close (FIN) or silent (nothing)."
        ),
    )
    on_unknown: Annotated[str, one_of(*UNKNOWN)] = Field(
        "reject",
        description=(
            "Treatment of a packet of a session that this node does not know: reject, accept (pick the session up) or "
            "redirect (pass it to the node that owns the session)."
        ),
    )
    keep_alive: SessionKeepAlive = Field(
        SessionKeepAlive.defaults(), description="TCP keep-alive probes; shorter than timeouts.tcp."
    )
    http: Flag = Field(False, description="Keep the connections of HTTP listeners in the table too.")
    log: Annotated[SessionLog | None, OFF] = Field(None, description="Log of ended sessions.")


class ListenerSessions(Part):
    """Settings for the sessions of one listener."""

    timeouts: ListenerSessionTimeouts = Field(
        ListenerSessionTimeouts.defaults(), description="Idle times after which a session expires."
    )
    on_expiry: Annotated[str, one_of(*EXPIRY)] | None = Field(
        None, description="What both ends receive when a session expires; as in sessions by default."
    )
    keep_alive: SessionKeepAlive | None = Field(
        None, description="TCP keep-alive probes; as in sessions by default."
    )

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if not written:
            yield (), "is empty; give it a key or remove it"
