"""Fields of `multipart/form-data`. Files are left alone."""

from __future__ import annotations

import re

from .fields import Sanitise, Unreadable, decoded, known_charset

MOST_PARTS = 1000
_MOST_HEADERS = 16384
_BOUNDARY = re.compile(rb"""boundary=(?:"([^"\\]{1,70})"|([^\s";,]{1,70}))\s*(?:;|$)""", re.IGNORECASE)
_FORM_DATA = re.compile(rb"form-data\s*(?=;)", re.IGNORECASE)
_PARAMETER = re.compile(
    rb""";\s*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"([^"\\]*+(?:\\.[^"\\]*+)*)"|([^\s";]++))\s*)?""",
    re.DOTALL,
)
_HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_CHARSET = re.compile(rb"charset=\"?([A-Za-z0-9_:.-]+)", re.IGNORECASE)
_PLAIN = (b"7bit", b"8bit", b"binary")


def rewrite_multipart(body: bytes, content_type: bytes, charset: str, sanitise: Sanitise) -> bytes | None:
    """Return `body` with the fields changed that `sanitise` changes, all else byte for byte; None if none is.

    Raises Unreadable: parsers read malformed bodies in different ways.
    """
    found = _BOUNDARY.search(content_type)
    if found is None or content_type.lower().count(b"boundary") != 1:
        raise Unreadable("the boundary of the form is missing or malformed")
    delimiter = b"--" + (found[1] or found[2])
    parts = _parts(body, delimiter)
    fields = [_field(body, start, end) for start, end in parts]
    charset = _declared_charset(body, fields) or charset
    made, position = [], 0
    for name, of_part, start, end in fields:
        if name is None or b"<" not in body[start:end]:
            continue
        encoding = of_part or charset
        new = sanitise(name, decoded(body[start:end], encoding, name))
        if new is not None:
            content = new.encode(encoding, "xmlcharrefreplace")
            if delimiter in content:
                raise Unreadable(f"the field {name!r:.60} would hold the boundary")
            made += [body[position:start], content]
            position = end
    return b"".join([*made, body[position:]]) if made else None


def _parts(body: bytes, delimiter: bytes) -> list[tuple[int, int]]:
    """Return where the parts begin and end."""
    position = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter) + 2
    if position == 1:
        raise Unreadable("the form has no part")
    parts: list[tuple[int, int]] = []
    position += len(delimiter)
    while body[position : position + 2] != b"--":
        if body[position : position + 2] != b"\r\n":
            raise Unreadable("a delimiter of the form is followed by other characters")
        start = position + 2
        end = body.find(b"\r\n" + delimiter, position)
        if end < 0:
            raise Unreadable("the form has no closing delimiter")
        if len(parts) == MOST_PARTS:
            raise Unreadable(f"the form has more than {MOST_PARTS} parts")
        parts.append((start, max(start, end)))
        position = end + 2 + len(delimiter)
    return parts


Field = tuple[str | None, str, int, int]
"""Name (None for a file), charset ("" if it names none), and where the content begins and ends."""


def _field(body: bytes, start: int, end: int) -> Field:
    split = body.find(b"\r\n\r\n", start, min(end + 4, start + _MOST_HEADERS))
    if split < 0 or split > end - 4:
        raise Unreadable("a part of the form has no end of its header")
    headers = _headers(body[start:split])
    parameters = _parameters(headers.get(b"content-disposition", b""))
    if b"name" not in parameters:
        raise Unreadable("a part of the form has no name")
    if b"filename" in parameters:
        return None, "", split + 4, end
    if headers.get(b"content-transfer-encoding", b"binary").lower() not in _PLAIN:
        raise Unreadable("a field has a Content-Transfer-Encoding")
    charset = _CHARSET.search(headers.get(b"content-type", b""))
    return (
        parameters[b"name"].decode("utf-8", "replace"),
        known_charset(charset[1].decode()) if charset else "",
        split + 4,
        end,
    )


def _parameters(disposition: bytes) -> dict[bytes, bytes]:
    found = _FORM_DATA.match(disposition)
    if found is None:
        raise Unreadable("a part of the form has no proper Content-Disposition")
    parameters: dict[bytes, bytes] = {}
    position = found.end()
    while position < len(disposition):
        parameter = _PARAMETER.match(disposition, position)
        if parameter is None:
            raise Unreadable("a part of the form has a malformed Content-Disposition")
        position = parameter.end()
        if parameter[1] is not None:
            key = parameter[1].lower().removesuffix(b"*")
            if key in parameters:
                raise Unreadable("a part of the form has a parameter twice")
            parameters[key] = parameter[2] if parameter[2] is not None else parameter[3]
    return parameters


def _headers(raw: bytes) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for line in raw.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        key = name.lower()
        malformed = not colon or not _HEADER_NAME.fullmatch(key) or b"\n" in line or b"\r" in line
        if malformed or key in headers:
            raise Unreadable("a part of the form has a malformed or repeated header field")
        headers[key] = value.strip(b" \t")
    return headers


def _declared_charset(body: bytes, fields: list[Field]) -> str:
    """Return the charset that the field `_charset_` names (HTML standard)."""
    for name, _, start, end in fields:
        if name == "_charset_":
            return known_charset(body[start:end][:40].decode("latin-1"))
    return ""
