"""The parts of a multipart body: headers and content between boundaries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from adc_plugins.waf.bodies.multipart.headers import PartHeaders, parse_headers
from adc_plugins.waf.bodies.multipart.report import Report

_DASHED_LINE: Final = re.compile(rb"^--[^\n]*\n?", re.MULTILINE)
_MOST_HEADER_LINES: Final = 100


@dataclass(slots=True)
class Part:
    """Headers and content as received."""

    headers: PartHeaders
    content: bytes
    cut: bool = False
    """True if the body ends within the headers; `content` is then all of the part."""


@dataclass(slots=True)
class _Mark:
    """A line that is a boundary: where it starts, where the next line starts, and whether it is the final one."""

    start: int
    end: int
    final: bool


def split_parts(content: bytes, boundary: bytes, most: int, report: Report) -> list[Part]:
    """Split `content` at the lines that are boundaries; `report` gets what is unusual.

    The last of `most` parts contains all that follows it.
    """
    marks = list(islice(_marks(content, b"--" + boundary, report), most))
    if not marks:
        report.fail("no boundary in the body")
        report.data_before = True
        return []
    if marks[0].start:
        report.data_before = True
    if not marks[-1].final:
        report.cut("the final boundary is missing")
        if len(marks) == most:
            report.fail(f"more than {most - 1} parts")
    elif marks[-1].end < len(content):
        report.data_after = True
    ends = [mark.start for mark in marks[1:]]
    if not marks[-1].final:
        ends.append(len(content))
    return [_part(content, mark.end, end, report) for mark, end in zip(marks, ends, strict=False)]


def _marks(content: bytes, delimiter: bytes, report: Report) -> Iterator[_Mark]:
    """Yield the boundaries up to the final one."""
    inside = content.count(delimiter)
    for found in _DASHED_LINE.finditer(content):
        line = found.group()
        if found.end() == len(content) and _is_cut(line, delimiter):
            report.cut("the last line may be part of a boundary")
            inside -= line.startswith(delimiter)
            break
        if not line.startswith(delimiter):
            _check_unmatched(line, delimiter, report)
            continue
        inside -= 1
        rest = line[len(delimiter) :]
        final = rest.startswith(b"--")
        if final:
            rest = rest[2:]
        if rest.strip(b" \t\r\n"):
            report.fail("text follows a boundary")
            continue
        _check_end(rest, found.end() == len(content), report)
        if final and report.unmatched_boundary:
            report.unmatched_boundary = 2
        yield _Mark(found.start(), found.end(), final)
        if final:
            break
    if inside > 0 and not report.unmatched_boundary:
        report.unmatched_boundary = 1


def _is_cut(line: bytes, delimiter: bytes) -> bool:
    """True if the last line of a body may be the beginning of a boundary."""
    return any(end.startswith(line) and line != end for end in (delimiter + b"--", delimiter + b"\r\n"))


def _check_unmatched(line: bytes, delimiter: bytes, report: Report) -> None:
    """Note a line that looks like a boundary, and fail if readers exist that take it for one."""
    text = line[2:].lstrip()
    if text.lstrip(b'"').startswith(delimiter[2:]):
        report.fail("a boundary with space or a quotation mark before it")
    if len(line) > 3:
        report.unmatched_boundary = 1


def _check_end(end: bytes, last: bool, report: Report) -> None:
    if end == b"\r\n":
        report.crlf_line = True
    elif end == b"\n":
        report.lf_line = True
    elif not last or end.strip(b"\r"):
        report.fail("space follows a boundary")


def _part(content: bytes, start: int, end: int, report: Report) -> Part:
    """Return the part between the end of one boundary and the start of the next."""
    lines: list[bytes] = []
    part_start = start
    while line_end := content.find(b"\n", start, end) + 1:
        line = content[start : line_end - 1]
        start = line_end
        if line.endswith(b"\r"):
            report.crlf_line = True
            line = line[:-1]
        else:
            report.lf_line = True
        if not line:
            break
        lines.append(line)
        if len(lines) == _MOST_HEADER_LINES:
            report.fail_part(f"a part has {_MOST_HEADER_LINES} lines of headers or more")
            break
    else:
        if end == len(content):
            report.cut("the headers of the last part have no end")
            return Part(PartHeaders(), content[part_start:end], cut=True)
        report.fail_part("the headers of a part have no end")
        lines += filter(None, [content[start:end]])
        start = end
    return Part(parse_headers(lines, report), _content(content, start, end, report))


def _content(content: bytes, start: int, end: int, report: Report) -> bytes:
    """Return the content without the line end that belongs to the boundary behind it, if there is one."""
    if end == len(content):
        return content[start:end]
    if start == end:
        report.fail_part("a part has no line end before its boundary")
    if content.endswith(b"\r\n", start, end):
        return content[start : end - 2]
    if content.endswith(b"\n", start, end):
        report.lf_line = True
        return content[start : end - 1]
    return content[start:end]
