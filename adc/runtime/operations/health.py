"""The health of members as the supervisor's checks find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adc.runtime.operations.members import member_named
from adc.runtime.operations.operation import NOTHING, Nothing, Operation

if TYPE_CHECKING:
    from adc.runtime.serve.view import Serving


@dataclass(frozen=True, slots=True)
class Report:
    """The result of health checks of a member: up or down, and the reason."""

    pool: str
    member: str
    up: bool
    reason: str = ""


class ReportHealth(Operation[Report, Nothing]):
    """Set the health of a member in every worker."""

    name = "health.report"
    request = Report

    def run(self, worker: Serving, request: Report) -> Nothing:
        from adc.pools.member import Health

        pool, member = member_named(worker, request.pool, request.member)
        health = Health.UP if request.up else Health.DOWN
        pool.set_health(member, health, worker.clock.now, request.reason)
        return NOTHING


REPORT = ReportHealth()
