"""What has been received of an exchange so far, and the parts that several variables share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from adc_plugins.waf.bodies.parsed import Limits, Pair, ParsedBody
from adc_plugins.waf.bodies.processor import parse_body, processor_for
from adc_plugins.waf.bodies.urlencoded import parse_arguments
from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.collect.target import query_string

_NO_BODY: Final = ParsedBody()


class Exchange:
    """Request and response as bytes. Parsed parts are computed at their first use."""

    __slots__ = (
        "_parsed",
        "_processor",
        "_query_arguments",
        "body",
        "body_forced",
        "body_received",
        "body_truncated",
        "facts",
        "limits",
        "query",
        "response_body",
        "response_headers",
        "response_protocol",
        "response_status",
        "response_truncated",
    )

    def __init__(self, facts: RequestFacts, limits: Limits) -> None:
        self.facts = facts
        self.limits = limits
        self.query = query_string(facts.target)
        self.body = b""
        self.body_received = False
        self.body_truncated = False
        self.body_forced = False
        self.response_status = 0
        self.response_protocol = b""
        self.response_headers: Sequence[Pair] = ()
        self.response_body = b""
        self.response_truncated = False
        self._processor: str | None = None
        self._parsed: ParsedBody | None = None
        self._query_arguments: list[Pair] | None = None

    def header(self, name: bytes) -> bytes:
        """Return the first value of the request header `name` (lower-case), empty without one."""
        return first_value(self.facts.headers, name)

    @property
    def processor(self) -> str:
        """The body processor: as chosen, else as Content-Type says."""
        if self._processor is None:
            self._processor = processor_for(self.header(b"content-type"))
        return self._processor

    @processor.setter
    def processor(self, name: str) -> None:
        self._processor = name

    @property
    def query_arguments(self) -> list[Pair]:
        """The arguments of the query string."""
        if self._query_arguments is None:
            self._query_arguments = parse_arguments(self.query, self.limits) if self.query else []
        return self._query_arguments

    @property
    def parsed(self) -> ParsedBody:
        """The result of the body processor."""
        if self._parsed is None:
            if not self.body_received:
                return _NO_BODY
            types = {value for name, value in self.facts.headers if name.lower() == b"content-type"}
            self._parsed = parse_body(self.processor, self.body, self.header(b"content-type"), self.limits)
            if len(types) > 1:
                self._parsed.error = self._parsed.error or "several Content-Type headers"
        return self._parsed

    @property
    def body_error(self) -> str:
        """The error of the body; a missing end is one only if all of it was received."""
        parsed = self.parsed
        return parsed.error or ("" if self.body_truncated else parsed.unfinished)


Scalar = Callable[[Exchange], bytes]
"""Computes a variable of one value."""

Collection = Callable[[Exchange], Sequence[Pair]]
"""Computes a variable of keys and values."""


def names_of(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the collection of names of `pairs`: each name as key and as value."""
    return [(name, name) for name, _ in pairs]


def first_value(headers: Sequence[Pair], name: bytes) -> bytes:
    """Return the first value of the header `name` (lower-case), empty without one."""
    size = len(name)
    for key, value in headers:
        if len(key) == size and key.lower() == name:
            return value
    return b""
