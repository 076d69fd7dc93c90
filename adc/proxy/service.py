"""One HTTP listener as a codec sees it: what an exchange is made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from adc.http.message import Request
from adc.net.clock import Clock
from adc.proxy.context import Context
from adc.proxy.pipeline import Pipeline, X
from adc.proxy.replies import Replies
from adc.telemetry.error_log import ErrorLog
from adc.telemetry.record import RecordLog


class Service(Context, Generic[X]):
    """A listener with compiled routes. `find` returns the route of a request. A reload swaps it in place; exchanges in
    flight keep the pipeline that they began with."""

    def __init__(
        self, name: str, clock: Clock, replies: Replies, access_log: RecordLog | None, error_log: ErrorLog
    ) -> None:
        super().__init__(name, clock, replies, access_log, error_log)
        self.find: Callable[[Request], Pipeline[X] | None] = _nowhere


def _nowhere(request: Request) -> None:
    """Return None: no routes have been compiled yet."""
