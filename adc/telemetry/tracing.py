"""Identifiers of a request: W3C Trace Context level 1 (`traceparent`) and X-Request-Id."""

from __future__ import annotations

import os
import re
from typing import Final, NamedTuple

_BLOCK: Final = 4096
_ID_DIGITS: Final = 32

_TRACEPARENT: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[ -~]*)?")
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._+/=:@-]{1,128}")
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16

_ids: Final[list[str]] = []


class TraceContext(NamedTuple):
    """One `traceparent`: lower-case hexadecimal identifiers of 32 and 16 digits, flags of one byte."""

    trace_id: str
    span_id: str
    flags: int


def parse_traceparent(value: bytes) -> TraceContext | None:
    """Return the context in a field value; None if it does not conform to the standard.

    A later version may have more after the flags (section 3.2.3); `ff` and identifiers of zeros are invalid. If the
    result is None, `tracestate` must not be forwarded either.
    """
    match = _TRACEPARENT.fullmatch(value)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == b"ff" or (more and version == b"00") or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return TraceContext(trace_id.decode(), span_id.decode(), int(flags, 16))


def new_request_id() -> str:
    """Return 32 hexadecimal digits, 128 bits of the system's random source, which is read in blocks."""
    try:
        return _ids.pop()
    except IndexError:
        digits = os.urandom(_BLOCK).hex()
        _ids.extend([digits[at : at + _ID_DIGITS] for at in range(0, len(digits), _ID_DIGITS)])
        return _ids.pop()


def accepted_request_id(value: bytes | None) -> str | None:
    """Return an X-Request-Id that may be kept: 1 to 128 letters, digits and `._+/=:@-`; None for any other."""
    if value is None or _REQUEST_ID.fullmatch(value) is None:
        return None
    return value.decode()


os.register_at_fork(after_in_child=_ids.clear)
