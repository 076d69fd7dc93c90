"""Entity tags and the lists of them in If-Match and If-None-Match (RFC 9110 sections 8.8.3 and 13.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

_ELEMENT = re.compile(rb'[ \t]*((?:W/)?"[^"]*"(?=[ \t]*(?:,|\Z))|[^,]+)')
"""An element of a list, perhaps followed by spaces. Matching the spaces here would take quadratic time."""

MAX_TAGS = 1000


def none_match_fails(value: bytes, etag: bytes | None) -> bool:
    """True if If-None-Match `value` names the `etag` (weak comparison) or is `*`.

    A list of more than MAX_TAGS is read so far only: the client then gets the whole response.
    """
    if value.strip(b" \t,") == b"*":
        return True
    if etag is None or etag.removeprefix(b"W/") not in value:
        return False
    return any(same_weakly(tag, etag) for tag in _tags(value))


def match_fails(value: bytes, etag: bytes) -> bool:
    """True if If-Match `value` neither names the `etag` (strong comparison) nor is `*`.

    A list of more than MAX_TAGS is read so far only: the client then gets a 412.
    """
    if value.strip(b" \t,") == b"*":
        return False
    return not any(same_strongly(tag, etag) for tag in _tags(value))


def names(value: bytes, etag: bytes) -> bool:
    """True if the list `value` has the very entity tag `etag`, weak or strong."""
    return etag in value and any(tag == etag for tag in _tags(value))


def _tags(value: bytes) -> Iterator[bytes]:
    return (tag[1].rstrip(b" \t") for tag in islice(_ELEMENT.finditer(value), MAX_TAGS))


def same_weakly(one: bytes, other: bytes) -> bool:
    """True if two entity tags are equal in the weak comparison (RFC 9110 section 8.8.3.2)."""
    return one.removeprefix(b"W/") == other.removeprefix(b"W/")


def same_strongly(one: bytes, other: bytes) -> bool:
    """True if two entity tags are equal and neither is weak."""
    return one == other and not one.startswith(b"W/")
