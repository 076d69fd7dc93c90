"""Active health checks, once per machine: their schedule, and the reports of changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from adc.config.pool_users import pool_users
from adc.control.checks import Check, build_check
from adc.pools.health import HealthState, Schedule
from adc.pools.member import Health
from adc.runtime.assembly.tls import check_alpn
from adc.runtime.operations.health import Report
from adc.telemetry.event_log import EventLog

if TYPE_CHECKING:
    from adc.config import Config
    from adc.config.model.address import Address
    from adc.config.model.health import ActiveHealth
    from adc.config.model.tls import MemberTls

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class CheckTarget:
    """Address and settings of a check."""

    address: Address
    health: ActiveHealth
    tls: MemberTls | None
    proxy_protocol: str | None
    alpn: tuple[str, ...] = ()


@dataclass(slots=True)
class _CheckedMember:
    target: CheckTarget
    state: HealthState
    task: asyncio.Task[None]


class HealthChecks:
    """Checks every member of the pools that ask for it. `report` is called with each change of state."""

    def __init__(
        self,
        report: Callable[[Report], Awaitable[None]],
        *,
        rng: Random,
        clock: Callable[[], float] = time.monotonic,
        build: Callable[
            [Address, ActiveHealth, MemberTls | None, str | None, tuple[str, ...]], Check
        ] = build_check,
    ) -> None:
        self._report = report
        self._rng = rng
        self._clock = clock
        self._build = build
        self._watches: dict[tuple[str, str], _CheckedMember] = {}
        self._taken_over: dict[tuple[str, str], Report] = {}

    def take_over(self, reports: Iterable[Report], config: Config) -> None:
        """Begin with the previous binary's results for the members that `config` checks; results for others would
        never be corrected. Call this before the first `follow`."""
        checked = dict(_targets(config)).keys()
        known = {(report.pool, report.member): report for report in reports}
        self._taken_over = {key: report for key, report in known.items() if key in checked}

    def follow(self, config: Config) -> None:
        """Check what `config` says from now on; a member checked as before keeps its state."""
        wanted = dict(_targets(config))
        for key, watch in list(self._watches.items()):
            if wanted.get(key) != watch.target:
                watch.task.cancel()
                del self._watches[key]
        for key, target in wanted.items():
            if key not in self._watches:
                self._begin(key, target)
        self._taken_over = {}

    def is_up(self, pool: str, member: str) -> bool:
        """True unless checks of the member fail."""
        watch = self._watches.get((pool, member))
        if watch is not None:
            return watch.state.health is not Health.DOWN
        report = self._taken_over.get((pool, member))
        return report is None or report.up

    def reports(self) -> list[Report]:
        """Return the known states, for a new worker."""
        return [*self._taken_over.values(), *self._known()]

    def _known(self) -> Iterator[Report]:
        return (
            _report(key, watch.state)
            for key, watch in self._watches.items()
            if watch.state.health is not Health.UNKNOWN
        )

    async def close(self) -> None:
        """Stop all checks."""
        tasks = [watch.task for watch in self._watches.values()]
        self._watches.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, key: tuple[str, str], target: CheckTarget) -> None:
        try:
            check = self._build(target.address, target.health, target.tls, target.proxy_protocol, target.alpn)
        except (OSError, ValueError) as error:
            log.error("member_not_checked", pool=key[0], member=key[1], detail=str(error))
            return
        state = HealthState(target.health.rise, target.health.fall)
        before = self._taken_over.get(key)
        if before is not None:
            state.resume(Health.UP if before.up else Health.DOWN, before.reason, self._clock())
        task = asyncio.create_task(self._keep_checking(key, target.health, state, check))
        self._watches[key] = _CheckedMember(target, state, task)

    async def _keep_checking(
        self, key: tuple[str, str], health: ActiveHealth, state: HealthState, check: Check
    ) -> None:
        schedule = Schedule(health.interval, health.down_interval or health.interval)
        due = schedule.first(self._clock(), self._rng)
        while True:
            await asyncio.sleep(max(0.0, due - self._clock()))
            failure = await check()
            if state.feed(failure, self._clock()):
                _log_change(key, state)
                await self._report(_report(key, state))
            due = schedule.following(state, self._clock(), self._rng)


def _log_change(key: tuple[str, str], state: HealthState) -> None:
    pool, member = key
    if state.health is Health.UP:
        log.info("health_check_passed", pool=pool, member=member)
    else:
        log.warn("health_check_failed", pool=pool, member=member, reason=state.reason)


def _report(key: tuple[str, str], state: HealthState) -> Report:
    pool, member = key
    return Report(pool, member, state.health is Health.UP, state.reason)


def _targets(config: Config) -> Iterator[tuple[tuple[str, str], CheckTarget]]:
    users = pool_users(config)
    for name, pool in config.pools.items():
        if pool.health.active is None:
            continue
        alpn = check_alpn(pool, users[name])
        for member in pool.members:
            yield (
                (name, member.name or member.address.text),
                CheckTarget(member.address, pool.health.active, pool.tls, pool.proxy_protocol, alpn),
            )
