"""The Content-Disposition header of a part."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from adc_plugins.waf.bodies.multipart.report import Report

_PARAMETER_NAME: Final = re.compile(rb"[ \t]*([^=\t ]*)[ \t]*(=?)[ \t]*")
_TOKEN: Final = re.compile(rb"[^\x00-\x20\x7f-\xff()<>@,;:\\\"/\[\]?=]*")
_DOUBLE_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.)*)("?)', re.DOTALL)
_SINGLE_QUOTED: Final = re.compile(rb"'((?:[^'\\]|\\.)*)('?)", re.DOTALL)
_UNTIL_SEMICOLON: Final = re.compile(rb"[^;]*;?")


@dataclass(slots=True)
class Disposition:
    """Names and file names, in the order given; a sound header has one name and at most one file name."""

    names: list[bytes] = field(default_factory=list)
    file_names: list[bytes] = field(default_factory=list)


def parse_disposition(value: bytes, report: Report) -> Disposition:
    """Parse `form-data; name="a"; filename="b"`; anything else is an error, but is read as far as possible."""
    found = Disposition()
    kind, semicolon, parameters = value.partition(b";")
    if not value.startswith(b"form-data") or kind.rstrip(b" \t") != b"form-data":
        report.fail_part("Content-Disposition is not form-data")
    position = 0
    while semicolon and position < len(parameters):
        position = _parameter(parameters, position, found, report)
    _check(value, found, report)
    return found


def _parameter(text: bytes, position: int, found: Disposition, report: Report) -> int:
    """Read one parameter from `position`; return the position behind it and its semicolon."""
    matched = _PARAMETER_NAME.match(text, position)
    if matched is None or not matched.group(2):
        if text[position:].strip(b" \t"):
            report.fail_part("a parameter of Content-Disposition has no value")
        return len(text)
    content, end = _content(text, matched.end(), report)
    _add(matched.group(1), content, found, report)
    behind = text[end:].lstrip(b" \t")
    if behind and not behind.startswith(b";"):
        if text[end - 1 : end] in (b'"', b"'"):
            report.invalid_quoting = True
        report.fail_part("text follows a parameter of Content-Disposition")
    rest = _UNTIL_SEMICOLON.match(text, end)
    return rest.end() if rest else len(text)


def _content(text: bytes, position: int, report: Report) -> tuple[bytes, int]:
    """Return the value at `position`, quoted or a token, and the position behind it."""
    mark = text[position : position + 1]
    if mark == b'"':
        quoted = _DOUBLE_QUOTED.match(text, position)
    elif mark == b"'":
        report.invalid_quoting = True
        quoted = _SINGLE_QUOTED.match(text, position)
    else:
        token = _TOKEN.match(text, position)
        end = token.end() if token else position
        return text[position:end], end
    if quoted is None or not quoted.group(2):
        report.invalid_quoting = True
        report.fail_part("a quotation mark of Content-Disposition is missing")
        return text[position + 1 :], len(text)
    return _unescape(quoted.group(1), mark), quoted.end()


def _unescape(text: bytes, mark: bytes) -> bytes:
    """Remove the backslash before a quotation mark or a backslash; others stay, as old browsers send paths."""
    return re.sub(rb"\\([\\" + mark + rb"])", rb"\1", text) if b"\\" in text else text


def _add(name: bytes, content: bytes, found: Disposition, report: Report) -> None:
    if name == b"name":
        found.names.append(content)
    elif name == b"filename":
        found.file_names.append(content)
    elif name.lower() == b"filename*":
        report.fail_part("filename* in Content-Disposition")
        found.file_names.append(unquote_to_bytes(content.rpartition(b"'")[2]))
    else:
        report.fail_part("unknown parameter of Content-Disposition")
        if name.lower() in (b"name", b"name*"):
            found.names.append(content)
        elif name.lower() == b"filename":
            found.file_names.append(content)


def _check(value: bytes, found: Disposition, report: Report) -> None:
    if len(found.names) > 1 or len(found.file_names) > 1:
        report.fail_part("Content-Disposition has a duplicate parameter")
    if not found.names or not found.names[0]:
        report.fail_part("Content-Disposition has no name")
    if found.file_names and found.file_names[0] and b"filename=" not in value:
        report.fail_part("the file name of Content-Disposition is malformed")
