"""The response of a plugin, in place of the one from the member, the cache or an action."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from adc.http.headers import Headers, Pair
from adc.http.message import Response as Head
from adc.telemetry.record import COMPLETE, END_REASONS

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "upgrade"})
_NO_CONTENT = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response: final status (200 to 599), fields by name (or as pairs, where a name comes more than once, as
    Set-Cookie does), content (text is sent as UTF-8).

    `reason` is the reason of the end in the access log, one of `END_REASONS`; by default
    `denied` from status 400 on. `error_page` sends adc's error page for the status instead of a body, with the request
    id on it: as HTML or JSON, and from `error_pages` if that names one. `abort` sends nothing and aborts the client's
    connection; the status is for the plugin's own log.

    Raises ValueError for a response that cannot be sent as it is: a field value with a line break, a framing field,
    content where the status has none, an error page with a body or with a status below 400.
    """

    status: int
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    body: bytes | str = b""
    reason: str = ""
    error_page: bool = False
    abort: bool = False

    def __post_init__(self) -> None:
        if not 200 <= self.status <= 599:
            raise ValueError(f"{self.status} is not a final status; allowed: 200 to 599")
        if self.status in _NO_CONTENT and self.body:
            raise ValueError(f"a response with status {self.status} has no content")
        if self.error_page and (self.body or self.status < 400):
            raise ValueError("an error page has no body of the plugin and a status from 400 on")
        if self.reason and self.reason not in END_REASONS:
            raise ValueError(f"{self.reason} is not a known reason; known: {', '.join(END_REASONS)}")
        for name, value in self.fields:
            if not _NAME.fullmatch(name) or name.lower() in _FRAMING:
                raise ValueError(f"{name!r} is not a field name that a plugin may set")
            if not _VALUE.fullmatch(value):
                raise ValueError(f"the value of {name} has a character that no field may have")

    @property
    def fields(self) -> Iterable[tuple[str, str]]:
        """The fields as pairs."""
        headers = self.headers
        return headers.items() if isinstance(headers, Mapping) else headers

    @property
    def content(self) -> bytes:
        """The content as bytes."""
        return self.body.encode() if isinstance(self.body, str) else self.body

    @property
    def end_reason(self) -> str:
        """The reason of the end, for the access log."""
        return self.reason or ("denied" if self.status >= 400 else COMPLETE)

    def head(self) -> Head:
        """Return the head that goes through the response phases."""
        lines = self.lines()
        dated = any(name.lower() == b"date" for name, _ in lines)
        return Head(self.status, Headers(lines), b"", len(self.content), dated)

    def lines(self) -> list[Pair]:
        """Return the fields as lines of a head."""
        return [(name.encode(), value.encode("latin-1")) for name, value in self.fields]
