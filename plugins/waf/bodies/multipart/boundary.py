"""The boundary, as Content-Type names it."""

from __future__ import annotations

import re
from typing import Final

from adc_plugins.waf.bodies.multipart.report import Report

_MEDIA_TYPE: Final = b"multipart/form-data"
_NAME: Final = b"boundary"
_LONGEST_HEADER: Final = 1_024
_LONGEST_BOUNDARY: Final = 70
"""RFC 2046, section 5.1.1; a reader may cut a longer one."""
_PERMITTED: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]")
_READ_BY_OTHERS: Final = re.compile(rb'[ \t]*"?([^";]*)')


def read_boundary(content_type: bytes, report: Report) -> bytes:
    """Return the boundary as most readers understand it, empty without one, and note in `report` what is unusual."""
    if len(content_type) > _LONGEST_HEADER:
        report.fail("Content-Type is too long")
    if content_type[: len(_MEDIA_TYPE)].lower() != _MEDIA_TYPE:
        report.fail("Content-Type is not multipart/form-data")
    start = content_type.lower().find(_NAME)
    if start < 0:
        report.fail("Content-Type has no boundary")
        return b""
    if _count(content_type) > 1:
        report.fail("Content-Type has several boundaries")
    if content_type[start : start + len(_NAME)] != _NAME:
        report.fail("the name of the boundary is not in lower case")
    _check_before(content_type[len(_MEDIA_TYPE) : start], report)
    name, equals, value = content_type[start + len(_NAME) :].partition(b"=")
    if not equals or name.strip():
        report.fail("the name of the boundary is malformed")
    elif name:
        report.boundary_whitespace = True
    _check_value(value, report)
    found = _READ_BY_OTHERS.match(value)
    return found.group(1).strip() if found else b""


def _count(text: bytes) -> int:
    """Return how often `boundary` is followed, at any distance, by an equals sign."""
    return text[: text.rfind(b"=") + 1].lower().count(_NAME)


def _check_before(between: bytes, report: Report) -> None:
    """Check the text between the media type and the boundary: one semicolon and space."""
    text = between.strip()
    if not text:
        report.semicolon_missing = True
    elif text != b";":
        report.fail("Content-Type has other parameters before the boundary")


def _check_value(value: bytes, report: Report) -> None:
    if value[:1].isspace():
        report.boundary_whitespace = True
    boundary = value
    if len(value) >= 2 and value.startswith(b'"') and value.endswith(b'"'):
        report.boundary_quoted = True
        boundary = value[1:-1]
    elif value.startswith(b'"') or value.endswith(b'"'):
        report.fail("the boundary has one quotation mark")
    if not boundary:
        report.fail("the boundary is empty")
    elif _count(boundary):
        report.fail("the boundary contains another boundary")
    elif not _PERMITTED.fullmatch(boundary):
        report.fail("the boundary has invalid characters")
    elif len(boundary) > _LONGEST_BOUNDARY:
        report.fail(f"the boundary is longer than {_LONGEST_BOUNDARY} bytes")
