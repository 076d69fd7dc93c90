"""Query strings and `application/x-www-form-urlencoded` bodies, decoded as ModSecurity does."""

from __future__ import annotations

import re
from typing import Final

from adc_plugins.waf.bodies.json_document import parse_json
from adc_plugins.waf.bodies.parsed import Limits, Pair, ParsedBody
from adc_plugins.waf.bodies.percent import decode_percent, has_invalid_escape

_JSON: Final = re.compile(rb"[ \t\r\n]*[{\[]")


def decode(content: bytes) -> bytes:
    """Decode `+` and `%XX`; an invalid escape, `%uXXXX` included, stays as it is."""
    return decode_percent(content.replace(b"+", b" "))


def parse_arguments(content: bytes, limits: Limits) -> list[Pair]:
    """Split `content` into decoded names and values.

    An empty item between two separators is an argument without name and value, except at the end. All that lies beyond
    the limit of arguments is decoded into one last value without a name, so that no rule overlooks it.
    """
    separator = limits.argument_separator
    items = content.split(separator, limits.arguments)
    if not items[-1]:
        items.pop()
    rest = items.pop() if len(items) > limits.arguments else None
    if b"%" in content or b"+" in content:
        pairs = [_decoded_pair(item) for item in items]
    else:
        pairs = [_pair(item) for item in items]
    if rest is not None:
        pairs.append((b"", decode(rest)))
    return pairs


def _pair(item: bytes) -> Pair:
    name, _, value = item.partition(b"=")
    return name, value


def _decoded_pair(item: bytes) -> Pair:
    name, _, value = item.partition(b"=")
    return decode(name), decode(value)


def parse_urlencoded(content: bytes, _content_type: bytes, limits: Limits) -> ParsedBody:
    """Parse a form body. JSON that is sent as a form, which lenient applications read, is parsed as both."""
    arguments = parse_arguments(content, limits)
    if _JSON.match(content):
        document = parse_json(content, b"", limits)
        if not (document.error or document.unfinished):
            arguments += document.arguments
    return ParsedBody(arguments=arguments, urlencoded_error=has_invalid_escape(content))
