"""A stream of bytes from one charset to another. No I/O."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from adc_plugins.charset.charsets import Charset

Undecodable = Literal["replace", "pass", "fail"]
Language = Literal["html", "json", "text"]


_unknown_escape = re.compile(rb"\x1b(?!\([BIJ]|\$[@B]|\$\(D|\$\)C)")
_cut_escape = re.compile(rb"\x1b(?:\(|\$[()]?)?\Z")


class Decoder:
    """Decodes chunks; sequences may be cut anywhere. `damaged` once something was not decodable."""

    def __init__(self, source: Charset, undecodable: Undecodable) -> None:
        self._errors = f"{source.errors}.{undecodable}"
        self._table = source.table
        self._replaced = source.replaced
        self._codec = codecs.getincrementaldecoder(source.codec)(self._errors)
        self._escapes = source.codec.startswith("iso2022")
        self._held = b""
        self._mark = "\ufffd" if undecodable == "replace" else ""
        self.damaged = False
        self.pending = False
        """True while the beginning of a sequence waits for its rest."""

    def decode(self, data: bytes, end: bool) -> str:
        """Return the text of a chunk. Raises UnicodeDecodeError if undecodable bytes are to fail."""
        if self._table:
            text = codecs.charmap_decode(data, self._errors, self._table)[0]
        else:
            text = self._codec.decode(self._known(data, end) if self._escapes else data, end)
            self.pending = bool(self._codec.getstate()[0])
        for old, new in self._replaced:
            if old in text:
                text = text.replace(old, new)
        if self._mark and self._mark in text:
            self.damaged = True
        return text

    def _known(self, data: bytes, end: bool) -> bytes:
        """Hold an escape sequence that is cut, and make an unknown one a byte that is no character: the codec fails
        over long ones."""
        data = self._held + data
        cut = None if end else _cut_escape.search(data, max(0, len(data) - 3))
        at = cut.start() if cut else len(data)
        self._held = data[at:]
        return _unknown_escape.sub(b"\xff", data[:at])


def encoded(text: str, target: Charset, language: Language) -> bytes:
    """Return the whole of a text in a charset."""
    errors = f"{target.errors}.{language}"
    if target.table:
        return codecs.charmap_encode(text, errors, codecs.charmap_build(target.table))[0]
    return text.encode(target.encoder, errors)


class Encoder:
    """Encodes chunks of text. Characters that the charset does not have are escaped as `language` allows."""

    def __init__(self, target: Charset, language: Language) -> None:
        self._errors = f"{target.errors}.{language}"
        self._utf_8 = target.is_utf_8
        self._map = codecs.charmap_build(target.table) if target.table else None
        self._codec = codecs.getincrementalencoder(target.encoder)(self._errors)

    def encode(self, text: str, end: bool) -> bytes:
        """Return the bytes of a chunk; at the `end` a stateful charset returns to ASCII."""
        if self._utf_8:
            return text.encode("utf-8", "surrogateescape")
        if self._map is not None:
            return codecs.charmap_encode(text, self._errors, self._map)[0]
        return self._codec.encode(text, end)


class Transcoder:
    """Converts chunks. ASCII passes without being decoded where both charsets have it."""

    def __init__(
        self,
        source: Charset,
        target: Charset,
        undecodable: Undecodable = "replace",
        language: Language = "text",
    ) -> None:
        self.decoder = Decoder(source, undecodable)
        self.encoder = Encoder(target, language)
        self._ascii = source.ascii and target.ascii

    def feed(self, data: bytes, end: bool) -> bytes:
        """Return the next chunk converted. Raises UnicodeDecodeError if undecodable bytes are to fail."""
        if self._ascii and not self.decoder.pending and data.isascii():
            return data
        return self.encoder.encode(self.decoder.decode(data, end), end)
