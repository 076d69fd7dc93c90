"""The beginning of a multipart body, as a body that is complete."""

from __future__ import annotations

from adc_plugins.waf.bodies.multipart.boundary import read_boundary
from adc_plugins.waf.bodies.multipart.report import Report


def completed(content: bytes, content_type: bytes) -> bytes:
    """Return `content`, which is cut off, without a part whose headers are cut off, and with a final boundary."""
    boundary = read_boundary(content_type, Report())
    delimiter = b"--" + boundary
    start = content.rfind(delimiter) if boundary else -1
    if start < 0:
        return content
    ending = delimiter + b"--\r\n"
    if content.find(b"\n\r\n", start) < 0 and content.find(b"\n\n", start) < 0:
        return content[:start] + ending
    last_line = content.rfind(b"\n") + 1
    if delimiter.startswith(content[last_line:].rstrip(b"\r")):
        content = content[:last_line]
    return content + b"\r\n" + ending
