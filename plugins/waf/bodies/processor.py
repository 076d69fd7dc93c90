"""Choice of the body processor, and the call of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from adc_plugins.waf.bodies.json_document import parse_json
from adc_plugins.waf.bodies.multipart.parse import parse_multipart
from adc_plugins.waf.bodies.parsed import Limits, ParsedBody, bounded
from adc_plugins.waf.bodies.undeclared import parse_undeclared
from adc_plugins.waf.bodies.urlencoded import parse_urlencoded
from adc_plugins.waf.bodies.xml_document import parse_xml

Processor = Callable[[bytes, bytes, Limits], ParsedBody]
"""Takes the content, the value of Content-Type and the limits."""


def processor_for(content_type: bytes) -> str:
    """Return the processor that ModSecurity chooses by itself, empty for none; rules choose JSON and XML."""
    lowered = content_type[:40].lower()
    if lowered.startswith(b"application/x-www-form-urlencoded"):
        return "URLENCODED"
    return "MULTIPART" if lowered.startswith(b"multipart/form-data") else ""


PROCESSORS: Final[Mapping[str, Processor]] = {
    "JSON": parse_json,
    "MULTIPART": parse_multipart,
    "URLENCODED": parse_urlencoded,
    "XML": parse_xml,
}


def parse_body(processor: str, content: bytes, content_type: bytes, limits: Limits) -> ParsedBody:
    """Return what `processor` makes of `content`; without one what is recognized, with an unknown one an error."""
    parse = PROCESSORS.get(processor) if processor else parse_undeclared
    if parse is None:
        return ParsedBody(error=f"unknown request body processor {processor}")
    body = parse(content, content_type, limits)
    if processor not in ("", "MULTIPART") and len(content) > limits.no_files_bytes:
        body.error = body.error or f"the body is longer than {limits.no_files_bytes} bytes"
    if len(body.arguments) > limits.arguments:
        if processor:
            body.error = body.error or f"more than {limits.arguments} arguments"
        body.arguments = bounded(body.arguments, limits.arguments)
    return body
