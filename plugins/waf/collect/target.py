"""The parts of a request target, in any of its forms."""

from __future__ import annotations

import re
from typing import Final

from adc_plugins.waf.bodies.percent import decode_percent

_AUTHORITY: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\\]*")


def query_string(target: bytes) -> bytes:
    """Return what follows the first question mark, as received."""
    return target.partition(b"?")[2]


def request_uri(target: bytes) -> bytes:
    """Return path and query, decoded, without scheme and authority of the absolute form."""
    return decode_percent(_without_authority(target))


def request_filename(target: bytes) -> bytes:
    """Return the decoded path, without scheme, authority and query."""
    return decode_percent(_without_authority(target).partition(b"?")[0])


def basename(filename: bytes) -> bytes:
    """Return what follows the last slash or backslash."""
    return filename[max(filename.rfind(b"/"), filename.rfind(b"\\")) + 1 :]


def _without_authority(target: bytes) -> bytes:
    if target[:1] == b"/":
        return target
    found = _AUTHORITY.match(target)
    if found is None:
        return target
    rest = target[found.end() :]
    return rest if rest[:1] == b"/" else b"/" + rest
