"""Active and passive health checks of a pool's members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BeforeValidator, Field

from adc.config.model.base import Finding, Forms, Part, refusal
from adc.config.model.types import (
    LISTED,
    OFF,
    FieldName,
    FieldValue,
    Flag,
    Hostname,
    Method,
    Regex,
    Text,
    Value,
    duration,
    is_regex,
    share,
    text_of,
    whole,
)
from adc.config.units import quote
from adc.http.patterns import BytesPattern


class StatusRange(NamedTuple):
    """Statuses from `first` to `last`, both included."""

    first: int
    last: int


STATUS_WORDS = "a status such as 200, a range such as 200-299, or a class such as 2xx"


def _status_range(value: Any) -> StatusRange:
    text = str(value)
    if len(text) == 3 and text.endswith("xx") and text[0] in "12345":
        return StatusRange(int(text[0]) * 100, int(text[0]) * 100 + 99)
    first, dash, last = text.partition("-")
    bounds = [first, last if dash else first]
    if not isinstance(value, int | str) or not all(
        len(b) == 3 and b.isascii() and b.isdigit() for b in bounds
    ):
        raise ValueError(f"{quote(value)} is not {STATUS_WORDS}")
    low, high = int(bounds[0]), int(bounds[1])
    if not 100 <= low <= high <= 599:
        raise ValueError(f"{quote(value)} is out of range; allowed: 100 to 599, the lower one first")
    return StatusRange(low, high)


_STATUS = Value(
    _status_range,
    {"type": ["string", "integer"], "description": f"{STATUS_WORDS[0].upper()}{STATUS_WORDS[1:]}."},
)
StatusRanges = Annotated[tuple[Annotated[StatusRange, _STATUS], ...], LISTED]


def _any_value(value: Any) -> Any:
    return None if value is True else value


ExpectedField = Annotated[FieldValue | None, BeforeValidator(_any_value)]
"""The value a field must have, or `None` if it need only be there (`true` in the file)."""


def _any_reply(value: Any) -> Any:
    return "" if value is True else value


def _payload(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, dict) and value.keys() == {"hex"} and isinstance(value["hex"], str):
        try:
            found = bytes.fromhex(value["hex"])
        except ValueError:
            raise ValueError(
                f"{quote(value['hex'])} is not pairs of hexadecimal digits, such as 1a2b"
            ) from None
    elif isinstance(value, str):
        found = value.encode()
    else:
        raise ValueError(f"{quote(value)} is not text or {{hex: DIGITS}}")
    if len(found) > MOST_PAYLOAD:
        raise ValueError(f"has {len(found)} bytes, at most {MOST_PAYLOAD} are allowed")
    return found


MOST_PAYLOAD = 1400
"""Bytes of a datagram that needs no fragments on usual networks."""

_PAYLOAD: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"hex": {"type": "string", "pattern": "^[0-9a-fA-F ]*$"}},
            "required": ["hex"],
            "additionalProperties": False,
        },
    ],
    "description": "Text, or {hex: DIGITS}.",
}
Payload = Annotated[bytes, Value(_payload, _PAYLOAD)]


class HealthExpect(Part):
    """The response that a healthy member sends. A bare status is `status`."""

    short_forms: ClassVar[Forms] = ({"type": ["string", "integer", "array"]},)

    status: StatusRanges = Field(
        (StatusRange(200, 299),), min_length=1, description=f"{STATUS_WORDS}, or a list of them."
    )
    body: Text = Field("", description="Text that the first 64 KB of the body contain.")
    body_regex: Regex | None = Field(
        None, description="Regular expression that matches in the first 64 KB of the body."
    )
    headers: Mapping[FieldName, ExpectedField] = Field(
        {}, description="Fields of the response: their value, or true for any."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"status": value} if isinstance(value, int | str | list) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        regex = written.get("body_regex")
        if isinstance(regex, str) and is_regex(regex):
            yield from refusal(("body_regex",), regex, partial(BytesPattern, regex))


KINDS = ("tcp", "tls", "udp", "smtp")
"""Kinds of checks beside HTTP requests."""


class UdpProbe(Part):
    """A datagram to a member and the reply to it. `true` is all defaults."""

    short_forms: ClassVar[Forms] = ({"const": True},)

    send: Payload = Field(b"", description="Content of the datagram.")
    expect: Annotated[Payload | None, BeforeValidator(_any_reply)] = Field(
        None,
        description=(
            "Part of a reply, true for any reply. By default no reply is needed: a member fails if its host reports "
            "within the timeout that the port is closed."
        ),
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {} if value is True else value


class ActiveHealth(Part):
    """Checks sent once per machine; their kind is one of `path` (default `/`), `tcp`, `tls`, `udp` and `smtp`."""

    short_forms: ClassVar[Forms] = (
        {"const": True},
        {"type": "string"},
    )

    path: Annotated[str, text_of(r"/[\x21-\x7e]*", "a path, beginning with /")] | None = Field(
        None, description="HTTP request to send."
    )
    tcp: Flag = Field(False, description="Only connect, without TLS and HTTP.")
    tls: Flag = Field(False, description="Only connect and complete a TLS handshake.")
    udp: Annotated[UdpProbe | None, OFF] = Field(None, description="Send a datagram, for udp listeners.")
    smtp: Flag = Field(
        False,
        description="Wait for the greeting of a mail server and for its reply to EHLO, with the pool's STARTTLS.",
    )
    method: Method = Field("GET", description="Method of the request.")
    host: Hostname | None = Field(
        None,
        description="Host of the request, the member's by default; name in EHLO, this machine's by default.",
    )
    headers: Mapping[FieldName, FieldValue] = Field({}, description="Fields of the request.")
    port: Annotated[int, whole(1, 65535)] | None = Field(
        None, description="Port of the check; the member's by default."
    )
    interval: Annotated[float, duration("10ms", "1h")] = Field(
        5.0, description="Time between two checks, with jitter."
    )
    down_interval: Annotated[float, duration("10ms", "1h")] | None = Field(
        None, description="Time between two checks of a member that is down; twice the interval by default."
    )
    timeout: Annotated[float, duration("1ms", "5m")] | None = Field(
        None,
        description="Timeout of a whole check; by default the interval, but at least 1s and at most 2s.",
    )
    rise: Annotated[int, whole(1, 100)] = Field(
        2, description="Successful checks in a row that bring a member up."
    )
    fall: Annotated[int, whole(1, 100)] = Field(
        3, description="Failed checks in a row that take a member down."
    )
    expect: HealthExpect = Field(
        HealthExpect.defaults(), description="The response that a healthy member sends."
    )

    @property
    def time_limit(self) -> float:
        """The timeout of a whole check in seconds."""
        return min(2.0, max(1.0, self.interval)) if self.timeout is None else self.timeout

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if value is True:
            return {"path": "/"}
        if isinstance(value, str):
            return {"path": value}
        if isinstance(value, dict) and not {"path", *KINDS} & value.keys():
            return value | {"path": "/"}
        return value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        kinds = [key for key in ("path", *KINDS) if written.get(key) not in (None, False)]
        if len(kinds) > 1:
            yield (kinds[1],), f"a check is either {' or '.join(kinds)}"
        if kinds != ["path"] and kinds:
            for key in ("method", "host", "headers", "expect"):
                if key in written and (key, kinds[0]) != ("host", "smtp"):
                    yield (key,), f"{key} has no effect on a {kinds[0]} check"


class PassiveHealth(Part):
    """Ejection of members that fail real requests, longer each time."""

    short_forms: ClassVar[Forms] = ({"const": True},)

    failures: Annotated[int, whole(1, 10_000)] = Field(
        5, description="Failures within the window that eject a member."
    )
    window: Annotated[float, duration("100ms", "1h")] = Field(
        10.0, description="Period in which failures are counted."
    )
    eject: Annotated[float, duration("100ms", "1d")] = Field(
        30.0,
        description=(
            "Duration of the first ejection; each following one is this much longer. Members that cannot be connected "
            "to are out for rise times interval of the active checks, if that is shorter; without such checks and "
            "without this key for 10s."
        ),
    )
    max_ejected: Annotated[float, share()] = Field(
        0.5, description="Maximum share of the pool that is ejected."
    )
    statuses: StatusRanges = Field(
        (StatusRange(500, 500), StatusRange(502, 504)),
        description="Statuses that count as failures, in addition to failed connections.",
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {} if value is True else value


class Health(Part):
    """Active and passive checks; passive ones are on with their defaults unless set to `false`."""

    active: Annotated[ActiveHealth | None, OFF] = Field(
        None, description=("Active checks: requests or connections to members.")
    )
    passive: Annotated[PassiveHealth | None, OFF] = Field(
        PassiveHealth.defaults(), description="Passive checks: results of real traffic; false turns them off."
    )
