"""Flows that the kernel forwards, as sessions: listed and killed like those of workers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from adc.control import conntrack
from adc.firewall.nftables.service import ANY4, ANY6
from adc.runtime.operations import flows
from adc.runtime.operations.flows import FlowPage, Killed, UnwantedFlows, WantedFlows
from adc.sessions.conntrack import Tracked
from adc.sessions.row import flow_row
from adc.sessions.session import CLOSING, ESTABLISHED, HALF_CLOSED, NEW, Session, Timeouts

if TYPE_CHECKING:
    from adc.config import Config
    from adc.firewall.nftables.service import Service
    from adc.runtime.operations.operation import Operation

KERNEL = 65535
"""The kernel's number among the workers."""

_TCP_STATES = {
    1: NEW,
    2: NEW,
    3: ESTABLISHED,
    4: HALF_CLOSED,
    5: HALF_CLOSED,
    6: CLOSING,
    7: CLOSING,
    8: CLOSING,
}
_PASSING = {1: 120.0, 2: 60.0, 6: 30.0, 7: 120.0, 8: 10.0}
"""Idle times in seconds of TCP states that adc leaves at the kernel's defaults."""


END_PATIENCE = 5.0
"""Seconds in which flows are ended when the service ends; the rest ends with the rules."""

OPERATIONS = (flows.LIST, flows.KILL)


def reply(operation: Operation[Any, Any], request: Any, config: Config, services: tuple[Service, ...]) -> Any:
    """Return the kernel's reply to an operation on flows. Raises OSError, BadMessage."""
    if operation is flows.LIST:
        return _page(request, config, services)
    return _kill(request, config, services)


def _page(request: WantedFlows, config: Config, services: tuple[Service, ...]) -> FlowPage:
    if request.ended:
        return FlowPage([], None)
    after = flows.places_of(request.cursor).get(KERNEL, 0)
    now, wall = time.monotonic(), time.time()
    found = sorted(_matching(request, config, services, now), key=lambda pair: pair[0].number)
    later = [session for session, _ in found if session.number > after]
    rows = [flow_row(session, KERNEL, now, wall) for session in later[: request.limit]]
    return FlowPage(rows, str(later[request.limit - 1].number) if len(later) > request.limit else None)


def _kill(request: UnwantedFlows, config: Config, services: tuple[Service, ...]) -> Killed:
    """Delete entries: the next segment of either end belongs to no flow, and is answered with RST."""
    found = list(_matching(request, config, services, time.monotonic()))
    return Killed(sum(conntrack.delete(entry) for _, entry in found))


def open_flows(services: tuple[Service, ...]) -> Iterator[Tracked]:
    """Yield the entries of `services` whose flow has not ended. Raises OSError, BadMessage."""
    for entry in conntrack.entries(ports_of(services)):
        closing = entry.original.protocol == "tcp" and _TCP_STATES.get(entry.state) == CLOSING
        if not closing and service_of(entry, services) is not None:
            yield entry


def end_flows(services: tuple[Service, ...]) -> None:
    """Delete the entries of `services`, in a limited time. Raises OSError, BadMessage."""
    deadline = time.monotonic() + END_PATIENCE
    for entry in list(open_flows(services)):
        conntrack.delete(entry)
        if time.monotonic() > deadline:
            return


def _matching(
    request: WantedFlows, config: Config, services: tuple[Service, ...], now: float
) -> Iterator[tuple[Session, Tracked]]:
    matches = request.filter(_member_name(request, config)).matches
    for entry in conntrack.entries(ports_of(services)):
        service = service_of(entry, services)
        if service is not None:
            session = session_of(entry, service, config, now)
            if (not request.id or request.id == f"{KERNEL}-{session.number}") and matches(session, now):
                yield session, entry


def ports_of(services: Iterable[Service]) -> frozenset[int]:
    """Return the ports of all addresses of `services`."""
    return frozenset(port for service in services for _, port in service.addresses)


def service_of(entry: Tracked, services: Iterable[Service]) -> Service | None:
    """Return the listener that an entry belongs to: it was addressed, and another address replies.

    What a listener on all addresses has in its port may be another program's translation, so that a member must reply.
    """
    host, port = entry.original.destination
    if entry.reply.source == entry.original.destination:
        return None
    for service in services:
        if service.protocol == entry.original.protocol:
            hosts = {own_host for own_host, own_port in service.addresses if own_port == port}
            if host in hosts or (hosts & {ANY4, ANY6} and _replies(entry, service)):
                return service
    return None


def _replies(entry: Tracked, service: Service) -> bool:
    """Return True if the other end of an entry is a member of the service."""
    return any((member.host, member.port) == entry.reply.source for member in service.members)


class KernelSession(Session):
    """An entry of connection tracking as a session. The kernel ends it, when its entry is deleted."""

    __slots__ = ()

    def end(self, reason: str) -> None:
        """No-op: the supervisor deletes the entry."""


def session_of(entry: Tracked, service: Service, config: Config, now: float) -> Session:
    """Return an entry as a session at the monotonic time `now`."""
    times, tcp = service.times, service.protocol == "tcp"
    timeouts = Timeouts(
        _PASSING.get(entry.state, times.tcp) if tcp else times.udp,
        times.tcp if tcp else times.udp_stream,
        _PASSING.get(entry.state, times.tcp_half_closed),
    )
    session = KernelSession(
        service.protocol, service.name, entry.original.source, entry.original.destination, timeouts
    )
    session.number = entry.number
    session.pool, session.member = _names(entry, service, config)
    session.state = _TCP_STATES.get(entry.state, NEW) if tcp else (ESTABLISHED if entry.replied else NEW)
    session.last = now - max(0.0, timeouts.of(session.state) - entry.left)
    session.created = min(session.last, now - (time.time() - entry.start)) if entry.start else session.last
    session.bytes_in, session.packets_in = entry.bytes_in, entry.packets_in
    session.bytes_out, session.packets_out = entry.bytes_out, entry.packets_out
    return session


def _names(entry: Tracked, service: Service, config: Config) -> tuple[str, str]:
    """Return the pool and the member of an entry."""
    pool = next((each.pool or "" for each in config.listeners if each.name == service.name), "")
    for member in config.pools[pool].members if pool in config.pools else ():
        if (member.address.host, member.address.port) == entry.reply.source:
            return pool, member.name or member.address.text
    return pool, ""


def _member_name(request: WantedFlows, config: Config) -> str:
    """Return the name of the member wanted, which may be given by its address."""
    for pool in config.pools.values():
        for member in pool.members:
            if request.member == member.address.text:
                return member.name or member.address.text
    return request.member
