"""Requests of pages that were converted to UTF-8, back in the charset that their application knows. No I/O.

Only what is UTF-8 is converted: a name, a value, a segment of a path that is not stays as it is.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from adc_plugins.charset.charsets import Charset
from adc_plugins.charset.transcoder import encoded

_run = re.compile(
    rb"(?:%[89A-Fa-f][0-9A-Fa-f]|[\x80-\xff])++"
)  # possessive: it remembers no places to return to
_between_fields = re.compile(rb"[&=]")
_between_segments = re.compile(rb"/")
_charset_field = re.compile(rb"(?<![^&])_charset_=[^&]*")
_unreserved = re.compile(rb"[A-Za-z0-9\-._~]")
_QUOTED = tuple(
    bytes([byte]) if _unreserved.match(bytes([byte])) else b"%%%02X" % byte for byte in range(256)
)
_MOST = 20_000
"""Runs of letters beyond ASCII in a form."""

_boundary = re.compile(
    rb"multipart/form-data\s*;.*?\bboundary=(?:\"([^\"]{1,200})\"|([^\s;\"]{1,200}))", re.I | re.S
)
_disposition = re.compile(rb"^content-disposition:[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_part_type = re.compile(rb"^content-type:[\t ]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_charset = re.compile(rb"(;[\t ]*charset[\t ]*=[\t ]*)\"?[^\";\r\n]*\"?", re.IGNORECASE)
_URLENCODED = b"application/x-www-form-urlencoded"
_CHARSET_FIELD = b'name="_charset_"'


def is_form(content_type: bytes) -> bool:
    """True for the content types of forms whose fields are text."""
    media_type = content_type.partition(b";")[0].strip().lower()
    return media_type == _URLENCODED or _boundary.match(content_type) is not None


class Forms:
    """Converts to `charset`. Characters that it does not have become numeric character references, as in browsers."""

    def __init__(self, charset: Charset) -> None:
        self._charset = charset
        self._label = charset.name.encode()

    def content_type(self, value: bytes) -> bytes:
        """Return the Content-Type field of a form, with its charset if it named one."""
        return _charset.sub(lambda found: found[1] + self._label, value)

    def content(self, content_type: bytes, data: bytes) -> bytes:
        """Return the content of a form."""
        found = _boundary.match(content_type)
        if found is None:
            return _charset_field.sub(b"_charset_=" + self._label, self.query(data))
        return self._multipart(data, found[found.lastindex or 1])

    def query(self, text: bytes) -> bytes:
        """Return names and values, escaped."""
        return self._by_part(text, _between_fields)

    def path(self, text: bytes) -> bytes:
        """Return the segments of a path, escaped."""
        return self._by_part(text, _between_segments)

    def _by_part(self, text: bytes, separator: re.Pattern[bytes]) -> bytes:
        """Convert the parts that have something to convert: there may be millions of others."""
        if not self._convertible(text):
            return text
        made, at = [], 0
        while (run := _run.search(text, at)) is not None:
            before = separator.search(text[at : run.start()][::-1])
            start = run.start() - before.start() if before else at
            after = separator.search(text, run.end())
            end = after.start() if after else len(text)
            made += [text[at:start], self._escaped(text[start:end])]
            at = end
        return b"".join([*made, text[at:]])

    def _convertible(self, text: bytes) -> bool:
        """True if there is something to convert, and not so much that it holds the worker."""
        if text.isascii() and b"%" not in text:
            return False
        return 0 < len(_run.findall(text)) <= _MOST

    def _escaped(self, text: bytes) -> bytes:
        try:
            return _run.sub(self._run, text)
        except UnicodeDecodeError:
            return text

    def _run(self, run: re.Match[bytes]) -> bytes:
        text = run[0]
        only_escapes = text.isascii()
        data = self._encoded(
            bytes.fromhex(text.replace(b"%", b"").decode()) if only_escapes else unquote_to_bytes(text)
        )
        if min(data) >= 0x80:
            return b"%" + data.hex("%").upper().encode()
        return b"".join([_QUOTED[byte] for byte in data])

    def _encoded(self, data: bytes) -> bytes:
        """Return UTF-8 in the charset. Raises UnicodeDecodeError for other bytes."""
        return encoded(data.decode("utf-8"), self._charset, "html")

    def _converted(self, data: bytes) -> bytes:
        if data.isascii():
            return data
        try:
            return self._encoded(data)
        except UnicodeDecodeError:
            return data

    def _multipart(self, data: bytes, boundary: bytes) -> bytes:
        delimiter = b"\r\n--" + boundary
        parts = (b"\r\n" + data).split(delimiter)
        parts[1:] = [self._part(part) for part in parts[1:]]
        return delimiter.join(parts)[2:]

    def _part(self, part: bytes) -> bytes:
        """Return a part: its field lines, and its content unless that is a file."""
        head, blank, content = part.partition(b"\r\n\r\n")
        if not blank:
            return part
        disposition = _disposition.search(head)
        declared = _part_type.search(head)
        is_file = disposition is None or b"filename" in disposition[0].lower()
        if not is_file and (declared is None or declared[1].lower().startswith(b"text/plain")):
            content = self._label if _CHARSET_FIELD in head else self._converted(content)
            if declared is not None:
                head = _charset.sub(lambda found: found[1] + self._label, head)
        return self._converted(head) + blank + content
