"""The trace context of a request (W3C Trace Context, level 1): a trusted client's, or one that begins here."""

from __future__ import annotations

from typing import Final

from adc.http.message import Request
from adc.http.networks import Networks
from adc.telemetry.tracing import new_request_id, parse_traceparent

PARENT: Final = b"traceparent"
STATE: Final = b"tracestate"

_PARENT_DIGITS: Final = 16


def begin_trace(trusted: Networks, sampled: bool, request: Request) -> None:
    """Give `request` a new trace unless a client in `trusted` sent a valid one. It takes the place of any other, with
    its state: the standard has an entry to a network begin a trace anew."""
    sent = request.proxy_fields.get(PARENT)
    if sent is not None and trusted.contains(request.client.peer) and parse_traceparent(sent) is not None:
        return
    made = new_traceparent(sampled)
    request.headers.remove(PARENT, STATE)
    request.headers.add(PARENT, made)
    request.proxy_fields.pop(STATE, None)
    request.proxy_fields[PARENT] = made


def new_traceparent(sampled: bool) -> bytes:
    """Return a value with new identifiers of trace and parent, from the random source of request ids."""
    return f"00-{new_request_id()}-{new_request_id()[:_PARENT_DIGITS]}-0{sampled:d}".encode()
