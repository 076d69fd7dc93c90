"""Choice of the body processor, and the call of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adc_plugins.waf.bodies.parsed import Limits, ParsedBody
from adc_plugins.waf.bodies.urlencoded import parse_urlencoded

Processor = Callable[[bytes, bytes, Limits], ParsedBody]
"""Takes the content, the value of Content-Type and the limits."""


def processor_for(content_type: bytes) -> str:
    """Return the processor that ModSecurity chooses by itself, empty for none; rules choose JSON and XML."""
    lowered = content_type[:40].lower()
    if lowered.startswith(b"application/x-www-form-urlencoded"):
        return "URLENCODED"
    return "MULTIPART" if lowered.startswith(b"multipart/form-data") else ""


def _urlencoded(content: bytes, _content_type: bytes, limits: Limits) -> ParsedBody:
    return parse_urlencoded(content, limits)


PROCESSORS: Final[dict[str, Processor]] = {"URLENCODED": _urlencoded}


def parse_body(processor: str, content: bytes, content_type: bytes, limits: Limits) -> ParsedBody:
    """Return what `processor` makes of `content`; without a processor nothing, with an unknown one an error."""
    if not processor:
        return ParsedBody()
    parse = PROCESSORS.get(processor)
    if parse is None:
        return ParsedBody(error=f"unknown request body processor {processor}")
    return parse(content, content_type, limits)
