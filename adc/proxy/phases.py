"""The phases of an exchange: which timeout limits each, and what its end means to the log and to the client."""

from __future__ import annotations

from typing import Final

from adc.pools.errors import Failure
from adc.proxy.end_reasons import end_reason


class Phase:
    """What an exchange waits for at the moment.

    `timeout` names the option that limits the phase. If an attempt at a member runs when the time is up, the attempt
    fails with `failure`; None if the member is not to blame. Otherwise the exchange ends: `reason` is its end reason
    in the log, `status` the status of the error response; 0 aborts the response.
    """

    __slots__ = ("failure", "name", "reason", "status", "timeout")

    def __init__(
        self, name: str, timeout: str, failure: Failure | None = None, status: int = 0, reason: str = ""
    ) -> None:
        self.name = name
        self.timeout = timeout
        self.failure = failure
        self.status = status if failure is None else failure.status
        self.reason = reason if failure is None else end_reason(failure)


QUEUE: Final = Phase("queue", "limits.queue_timeout of the pool", Failure.QUEUE_TIMEOUT)
CONNECT: Final = Phase("connect", "timeouts.connect", Failure.CONNECTION_TIMEOUT)
EXPECT: Final = Phase("expect", "none: after a second the client gets the 100 (Continue) from adc")
REQUEST_BODY: Final = Phase(
    "request_body", "timeouts.request_body and limits.body_rate", status=408, reason="request_body_timeout"
)
MEMBER_WRITE: Final = Phase("member_write", "timeouts.idle", Failure.WRITE_TIMEOUT)
RESPONSE_HEAD: Final = Phase("response_head", "timeouts.response_head", Failure.RESPONSE_TIMEOUT)
IDLE: Final = Phase("idle", "timeouts.idle", Failure.READ_TIMEOUT)
CLIENT_WRITE: Final = Phase("client_write", "timeouts.write of the listener", reason="client_write_timeout")
TUNNEL: Final = Phase("tunnel", "timeouts.tunnel", reason="idle_timeout")
PLUGIN: Final = Phase("plugin", "the timeout of the plugin")
TOTAL: Final = Phase("total", "timeouts.total", Failure.TOTAL_TIMEOUT)

PHASES: Final = (
    QUEUE, CONNECT, EXPECT, REQUEST_BODY, MEMBER_WRITE, RESPONSE_HEAD, IDLE, CLIENT_WRITE, TUNNEL, PLUGIN, TOTAL,
)  # fmt: skip
"""All phases, in the order in which a request may pass through them."""
