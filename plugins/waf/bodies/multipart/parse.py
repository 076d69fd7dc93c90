"""A multipart body to arguments, files and variables."""

from __future__ import annotations

import binascii
import quopri
from typing import Final

from adc_plugins.waf.bodies.json_document import parse_json
from adc_plugins.waf.bodies.multipart.boundary import read_boundary
from adc_plugins.waf.bodies.multipart.disposition import Disposition, parse_disposition
from adc_plugins.waf.bodies.multipart.parts import Part, split_parts
from adc_plugins.waf.bodies.multipart.report import Report
from adc_plugins.waf.bodies.parsed import Limits, Pair, ParsedBody, UploadedFile

_SCRIPTED: Final = b"blob"
"""The file name that browsers give to content that a script made."""

_LONGEST_DISPOSITION: Final = 4_096
"""Bytes of a Content-Disposition that are read; a longer one is an error of its line."""


def parse_multipart(content: bytes, content_type: bytes, limits: Limits) -> ParsedBody:
    """Parse the body. A part with a file name is a file, any other an argument; a malformed part is both."""
    report = Report()
    body = ParsedBody()
    boundary = read_boundary(content_type, report)
    parts = split_parts(content, boundary, limits.arguments + limits.files, report) if boundary else []
    names: list[Pair] = []
    file_names: list[Pair] = []
    part_headers: list[Pair] = []
    size = 0
    for part in parts:
        if part.cut:
            body.arguments.append((b"", part.content))
            continue
        failures = report.failures
        disposition = _disposition(part, report)
        name = disposition.names[0] if disposition.names else b""
        names += [(given, given) for given in disposition.names]
        file_names += [(given, given) for given in disposition.file_names]
        part_headers += [(name, line) for line in part.headers.lines]
        size += sum(map(len, part.headers.lines))
        file_name = next(filter(None, disposition.file_names), b"")
        if file_name:
            body.files.append(UploadedFile(name, file_name, part.content))
        if not file_name or report.failures > failures:
            size += len(part.content)
            body.arguments += _arguments(name, part)
        if file_name in (b"", _SCRIPTED) and b"json" in part.headers.values.get(b"content-type", b"").lower():
            document = parse_json(part.content, b"", limits)
            body.arguments += [(b"%b.%b" % (name, key), value) for key, value in document.arguments]
    if len(body.files) > limits.files:
        report.file_limit_exceeded = True
        report.fail(f"more than {limits.files} files")
    if size > limits.no_files_bytes:
        report.fail(f"more than {limits.no_files_bytes} bytes beside the files")
    body.error = report.error
    body.unfinished = report.unfinished
    body.scalars = report.variables()
    body.collections = {
        "MULTIPART_NAME": names,
        "MULTIPART_FILENAME": file_names,
        "MULTIPART_PART_HEADERS": part_headers,
    }
    return body


def _disposition(part: Part, report: Report) -> Disposition:
    value = part.headers.values.get(b"content-disposition")
    if value is None:
        report.fail_part("a part has no Content-Disposition")
        return Disposition()
    return parse_disposition(value[:_LONGEST_DISPOSITION], report)


def _arguments(name: bytes, part: Part) -> list[Pair]:
    """Return the argument as received, and decoded if a Content-Transfer-Encoding that some readers undo is named."""
    arguments = [(name, part.content)]
    encoding = part.headers.values.get(b"content-transfer-encoding", b"").strip().lower()
    if encoding == b"quoted-printable":
        arguments.append((name, quopri.decodestring(part.content)))
    elif encoding == b"base64":
        arguments.append((name, _base64(part.content)))
    return arguments


def _base64(content: bytes) -> bytes:
    try:
        return binascii.a2b_base64(content)
    except binascii.Error:
        return b""
