"""One request checked chunk by chunk, while it passes."""

from __future__ import annotations

from collections.abc import Callable

from adc_plugins.documents.content import Unreadable
from adc_plugins.documents.xml.encoding import looks_like_xml
from adc_plugins.documents.xml.guard import XmlGuard

from adc.plugin import DecodeError, Decoder, content_decoder

_SNIFFED = 256
_SPACES = b" \t\r\n\v\f\0\xef\xbb\xbf"
_LEAST = 4
"""Bytes that tell every encoding apart."""


class XmlStream:
    """Feeds the content of one request to a guard, out of its coding. `sniffs`: only content that begins like XML is
    checked. Raises XmlRefused and Unreadable."""

    __slots__ = ("_decoder", "_guard", "_held", "_make", "_sniffs", "over")

    def __init__(self, make: Callable[[], XmlGuard], content_encoding: bytes | None, sniffs: bool) -> None:
        self.over = False
        """True once the rest of the content need not be checked."""
        self._make = make
        self._guard: XmlGuard | None = None
        self._decoder = _decoder(content_encoding)
        self._held = b""
        self._sniffs = sniffs

    def feed(self, data: bytes, end: bool) -> None:
        """Check the next chunk."""
        decoder = self._decoder
        if decoder is None:
            self._check(data, end)
            return
        try:
            decoder.feed(data)
            while decoder.pending and not self.over:
                self._check(decoder.step(), False)
            if end and not self.over:
                decoder.finish()
        except DecodeError as error:
            if not self._sniffs:
                raise Unreadable(400, str(error)) from None
            self.over = True
        if end and not self.over:
            self._check(b"", True)

    def _check(self, data: bytes, end: bool) -> None:
        if self._sniffs:
            self._held += data
            text = self._held.lstrip(_SPACES)
            if not end and (not text or len(self._held) < _LEAST) and len(self._held) < _SNIFFED:
                return
            data, self._held, self._sniffs = self._held, b"", False
            self.over = not looks_like_xml(data)
        if self._guard is None and not self.over:
            self._guard = self._make()
        if self._guard is not None:
            self._guard.feed(data, end)

    def __del__(self) -> None:
        if self._guard is not None:
            self._guard.release()


def _decoder(content_encoding: bytes | None) -> Decoder | None:
    coding = (content_encoding or b"").strip(b" \t").lower()
    if not coding or coding == b"identity":
        return None
    found = content_decoder(coding)
    if found is None:
        raise Unreadable(415, "the content coding is unknown")
    return found
