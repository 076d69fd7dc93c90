"""Expectations about the response to a health check."""

from __future__ import annotations

from collections.abc import Mapping

from adc.http.headers import Headers
from adc.http.patterns import BytesPattern

BODY_LIMIT = 64 * 1024
"""Bytes of the body that are looked at; a checker need not read more."""


def parse_statuses(text: str) -> tuple[range, ...]:
    """Return the status codes of `200-299`, `200,204` or a mix of both. Raises ValueError for anything else."""
    ranges = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        low = _status(first, text)
        high = _status(last, text) if dash else low
        if high < low:
            raise ValueError(f"{part.strip()!r} is an empty range of status codes; write the lower one first")
        ranges.append(range(low, high + 1))
    return tuple(ranges)


def _status(digits: str, text: str) -> int:
    digits = digits.strip()
    if not (len(digits) == 3 and digits.isascii() and digits.isdigit() and digits[0] in "12345"):
        raise ValueError(f"{text!r} names no status codes; write 200-299 or 200,204")
    return int(digits)


class Expectation:
    """Statuses, a piece of the body (`body` as text, `body_regex` as an expression) and header fields.

    `headers` maps a lower-case name to the value that one of its lines must have, None if it need only be
    there. Raises ValueError for statuses or an expression that cannot be read.
    """

    __slots__ = ("_body", "_headers", "_pattern", "_statuses", "_text")

    def __init__(
        self,
        status: str = "200-299",
        *,
        body: str = "",
        body_regex: str = "",
        headers: Mapping[str, str | None] | None = None,
    ) -> None:
        self._text = status
        self._statuses = parse_statuses(status)
        self._body = body.encode()
        try:
            self._pattern = BytesPattern(body_regex) if body_regex else None
        except ValueError as error:
            raise ValueError(f"body_regex {body_regex!r}: {error}") from error
        self._headers = tuple(
            (name.encode(), None if value is None else value.encode())
            for name, value in (headers or {}).items()
        )

    @property
    def reads_body(self) -> bool:
        """True if the body matters, so that a checker must read up to BODY_LIMIT bytes of it."""
        return bool(self._body) or self._pattern is not None

    def failure(self, status: int, headers: Headers, body: bytes = b"") -> str | None:
        """Return why this response is not the expected one, None if it is."""
        if not any(status in accepted for accepted in self._statuses):
            return f"status {status}, expected {self._text}"
        for name, value in self._headers:
            values = headers.get_all(name)
            if not values or (value is not None and value not in values):
                return f"header {name.decode()} is not as expected"
        body = body[:BODY_LIMIT]
        if self._body not in body:
            return "body does not contain the expected text"
        if self._pattern is not None and not self._pattern.found_in(body):
            return "body does not match the expected expression"
        return None
