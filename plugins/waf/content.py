"""Content as the rules read it: decoded, within the limit of inspection."""

from __future__ import annotations

from typing import NamedTuple

from adc.plugin import DecodeError, decode_beginning


class Inspected(NamedTuple):
    """What of a message's content is inspected; `truncated` if there is more. `error` says why it is not decoded: then
    `content` is as received."""

    content: bytes
    truncated: bool
    error: str = ""


def inspected(data: bytes, content_encoding: bytes, most: int, end: bool) -> Inspected:
    """Return the first `most` bytes of what `data` decodes to; without `end`, more content follows `data`."""
    if not content_encoding or not data:
        return Inspected(data, not end)
    try:
        decoded = decode_beginning(data, content_encoding, most, whole=end)
    except DecodeError as error:
        return Inspected(data, not end, str(error))
    return Inspected(decoded.content, not decoded.whole)
