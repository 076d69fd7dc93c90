"""Contradictory timeouts: the pair, the symptom, and the remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from adc.config.errors import Path
from adc.config.model.config import Config
from adc.config.model.pools import Pool
from adc.config.model.routes import Route
from adc.config.session_timeouts import session_disagreements
from adc.config.units import format_duration as spelled
from adc.config.units import quote

Finding = tuple[Path, str]

ANNOUNCED_MARGIN = 1.0
"""Seconds before the idle close that a member announces at which its connections are not used any more."""

SYNC_SHARE = 10
"""Intervals that a pin should live: one that hardly outlives the news of it is of no use to the other nodes."""


class Seen(NamedTuple):
    """Times measured on a connection to a member, in seconds; None if the member showed none.

    `announced`: `Keep-Alive: timeout`, 0 with `Connection: close`; `closed`: when it closed an idle connection;
    `cookie`: lifetime of the session cookie that the pool's persistence rests on.
    """

    announced: float | None = None
    closed: float | None = None
    cookie: float | None = None


NOTHING_SEEN: Mapping[tuple[str, str], Seen] = {}


def disagreements(config: Config, seen: Mapping[tuple[str, str], Seen] = NOTHING_SEEN) -> Iterator[Finding]:
    """Yield the value to change and why. `seen` is by pool and member address."""
    for number, route in enumerate(config.routes):
        yield from _of_route(("routes", number), route, config)
    yield from session_disagreements(config)
    for name, pool in config.pools.items():
        at: Path = ("pools", name)
        yield from _of_checks(at, pool)
        yield from _of_pins(at, name, pool, config)
        for member in pool.members:
            found = seen.get((name, member.address.text))
            if found is not None:
                yield from _of_member(at, pool, member.address.text, found)


def _of_route(at: Path, route: Route, config: Config) -> Iterator[Finding]:
    times = route.timeouts
    if 0 < times.total < times.response_head:
        yield (
            (*at, "timeouts", "total"),
            (
                f"total ({spelled(times.total)}) ends before response_head "
                f"({spelled(times.response_head)}) can: slow responses "
                f"get 504 after {spelled(times.total)}; raise total or lower response_head"
            ),
        )
    hedge = route.retries.hedge
    if hedge is not None and 0 < times.response_head <= hedge.after:
        yield (
            (*at, "retries", "hedge", "after"),
            (
                f"hedge.after ({spelled(hedge.after)}) is not before response_head ({spelled(times.response_head)}): "
                "no second attempt is ever made; lower hedge.after"
            ),
        )
    for name in {route.pool, *(route.split or ())} - {None}:
        pool = config.pools.get(name or "")
        if pool is not None and 0 < times.total <= pool.limits.queue_timeout:
            yield (
                ("pools", name or "", "limits", "queue_timeout"),
                (
                    f"queue_timeout ({spelled(pool.limits.queue_timeout)}) is not below total "
                    f"({spelled(times.total)}) of route {quote(route.name)}: "
                    "requests that wait in the queue get 504 without an attempt; lower queue_timeout"
                ),
            )


def _of_checks(at: Path, pool: Pool) -> Iterator[Finding]:
    active = pool.health.active
    if active is not None and active.time_limit > active.interval:
        yield (
            (*at, "health", "active", "timeout"),
            (
                f"a check may take {spelled(active.time_limit)}, longer than the interval "
                f"({spelled(active.interval)}): a hanging "
                f"member is detected {spelled(active.time_limit * active.fall)} late; lower timeout"
            ),
        )


def _of_pins(at: Path, name: str, pool: Pool, config: Config) -> Iterator[Finding]:
    held = _held(pool)
    if held is None or pool.persistence is None:
        return
    mode, timeout = held
    place = (*at, "persistence", mode, "timeout")
    absolute = pool.persistence.absolute_timeout
    if 0 < absolute < timeout:
        yield (
            (*at, "persistence", "absolute_timeout"),
            (
                f"absolute_timeout ({spelled(absolute)}) ends every pin before timeout "
                f"({spelled(timeout)}) can: active clients "
                "move to other members; raise absolute_timeout"
            ),
        )
    for listener in config.listeners:
        keep_alive = listener.timeouts.keep_alive
        if listener.protocol == "http" and timeout < keep_alive:
            yield (
                place,
                (
                    f"a pin expires after {spelled(timeout)}, but listener {quote(listener.name)} keeps connections "
                    f"for {spelled(keep_alive)}: a pausing client changes member on an open connection and loses its "
                    "session; raise timeout"
                ),
            )
    for route in config.routes:
        slowest = max(route.timeouts.response_head, route.timeouts.idle)
        if timeout < slowest and name in {route.pool, *(route.split or ())}:
            yield (
                place,
                (
                    f"a pin expires after {spelled(timeout)}, but route {quote(route.name)} waits up to "
                    f"{spelled(slowest)} for an "
                    "response: after a slow one the client gets another member; raise timeout"
                ),
            )
    cluster = config.cluster
    if cluster is not None and timeout < cluster.sync.interval * SYNC_SHARE:
        yield (
            ("cluster", "sync", "interval"),
            (
                f"sync.interval ({spelled(cluster.sync.interval)}) is long beside the pins of pool {quote(name)} "
                f"({spelled(timeout)}): other nodes get them shortly before they expire; lower interval"
            ),
        )


def _of_member(at: Path, pool: Pool, address: str, seen: Seen) -> Iterator[Finding]:
    idle = pool.keep_alive.idle
    if seen.announced is not None:  # no connection is kept longer than its member announces
        idle = min(idle, max(seen.announced - ANNOUNCED_MARGIN, 0.0))
    if seen.closed is not None and idle > 0.0 and seen.closed <= idle:
        yield (
            (*at, "keep_alive", "idle"),
            (
                f"idle connections are kept for {spelled(idle)}, but member {address} closes them after "
                f"{spelled(round(seen.closed, 1))}: now and then a request meets a closing connection, "
                f"gets 502 if it cannot "
                "be repeated; lower keep_alive.idle below that"
            ),
        )
    held = _held(pool)
    if held is not None and seen.cookie is not None and held[1] < seen.cookie:
        mode, timeout = held
        yield (
            (*at, "persistence", mode, "timeout"),
            (
                f"a pin expires after {spelled(timeout)}, but the session cookie of member {address} "
                f"lives {spelled(seen.cookie)}: "
                f"users are logged out when they come back later than {spelled(timeout)}; raise timeout"
            ),
        )


def _held(pool: Pool) -> tuple[str, float] | None:
    """Return the pool's mode of persistence and its idle timeout, None if it has none."""
    if pool.persistence is None:
        return None
    mode, settings = pool.persistence.mode
    return mode, settings.timeout
