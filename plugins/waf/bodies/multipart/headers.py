"""The headers of a part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from adc_plugins.waf.bodies.multipart.report import Report

_LONGEST_LINE: Final = 4_096


@dataclass(slots=True)
class PartHeaders:
    """The headers of one part."""

    lines: list[bytes] = field(default_factory=list)
    """Unfolded lines as received."""
    values: dict[bytes, bytes] = field(default_factory=dict)
    """By lower-case name; the first of a name counts."""


def parse_headers(lines: list[bytes], report: Report) -> PartHeaders:
    """Parse header lines without their ends."""
    headers = PartHeaders()
    for line in _unfolded(lines, report):
        headers.lines.append(line)
        name, colon, value = line.partition(b":")
        lowered = name.lower()
        if b"\0" in line:
            report.fail("a header of a part has a NUL byte")
        if len(line) > _LONGEST_LINE:
            report.fail(f"a header of a part is longer than {_LONGEST_LINE} bytes")
        if not colon or not name:
            report.fail("a header of a part has no name")
        elif lowered in headers.values:
            report.fail("a part has a duplicate header")
        else:
            headers.values[lowered] = value.lstrip(b" \t")
    return headers


def _unfolded(lines: list[bytes], report: Report) -> list[bytes]:
    """Return `lines` with each continuation joined to the line before it by one space."""
    pieces: list[list[bytes]] = []
    for line in lines:
        if not line[:1].isspace():
            pieces.append([line])
            continue
        report.header_folding = True
        text = line.lstrip()
        if line[: len(line) - len(text)].strip(b" \t"):
            report.invalid_header_folding = True
        if pieces:
            pieces[-1].append(text)
        else:
            report.fail("the first header of a part is a continuation")
            pieces.append([line])
    return [b" ".join(piece) for piece in pieces]
