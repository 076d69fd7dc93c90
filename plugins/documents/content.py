"""Content of messages as validators read it: out of its coding, with its media type and charset."""

from __future__ import annotations

from typing import NamedTuple

from adc.plugin import DecodeError, decode_beginning

_BEGINNING = 256
_CODINGS = (b"gzip", b"x-gzip", b"deflate", b"br", b"zstd", b"identity")


class Unreadable(Exception):
    """Content that cannot be inspected. `status` is that of the refusal of a request."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class ContentType(NamedTuple):
    """A Content-Type: the media type and the names of the parameters in lower case."""

    media_type: str
    parameters: dict[str, str]

    @property
    def charset(self) -> str:
        """The charset, "" if there is none."""
        return self.parameters.get("charset", "")


def content_type(field: bytes | None) -> ContentType:
    """Return the parts of a Content-Type. The values of a repeated parameter are joined, so that no rule knows them."""
    media_type, *parts = _split((field or b"").decode("latin-1"))
    parameters: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if equals:
            key, value = name.strip(" \t").lower(), _unquoted(value.strip(" \t"))
            parameters[key] = f"{parameters[key]}, {value}" if key in parameters else value
    return ContentType(media_type.strip(" \t").lower(), parameters)


def _split(text: str) -> list[str]:
    """Split at semicolons that are not in quotes."""
    if '"' not in text:
        return text.split(";")
    parts, quoted = [""], False
    for piece in text.split('"'):
        if quoted:
            parts[-1] += f'"{piece}"'
        else:
            first, *more = piece.split(";")
            parts[-1] += first
            parts += more
        quoted = not quoted
    return parts


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def decoded(data: bytes, content_encoding: bytes | None, most: int, whole: bool) -> bytes:
    """Return `data` out of its content coding, all of it. `whole` is False if more content follows `data`.

    Raises Unreadable: 413 for more than `most` bytes, 415 for an unknown coding, 400 for content not in its coding.
    """
    coding = (content_encoding or b"").strip(b" \t").lower()
    if coding and coding != b"identity":
        unknown = [each for part in coding.split(b",") if (each := part.strip(b" \t")) not in _CODINGS]
        if unknown:
            raise Unreadable(415, "the content coding is unknown")
        try:
            data, whole = decode_beginning(data, coding, most, whole=whole)
        except DecodeError as error:
            raise Unreadable(400, str(error)) from None
    if not whole or len(data) > most:
        raise Unreadable(413, f"the content has more than {most} bytes")
    return data


def beginning(data: bytes, content_encoding: bytes | None) -> bytes:
    """Return the first bytes of content out of its coding; nothing if that is not possible."""
    coding = (content_encoding or b"").strip(b" \t").lower()
    if not coding or coding == b"identity":
        return data[:_BEGINNING]
    try:
        return decode_beginning(data, coding, _BEGINNING, whole=False).content
    except DecodeError:
        return b""
