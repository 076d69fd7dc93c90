"""The content of one response, from what it declares or seems to be in to the charset that is wanted. No I/O.

What is decided, and where, depends on the content only, never on how it is cut into chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adc_plugins.charset.charsets import Charset, find
from adc_plugins.charset.detector import SAMPLE, detect, unusual
from adc_plugins.charset.prescan import Kind, declarations, rewritten, window
from adc_plugins.charset.transcoder import Language, Transcoder, Undecodable

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
_UTF_16 = ("utf-16le", "utf-16be")
_OVERLAP = len("</head") - 1


@dataclass(frozen=True, slots=True)
class Aims:
    """What a route wants of all its content. `fallback` is for content that declares nothing and looks like nothing;
    with `detects` it is looked at."""

    target: Charset
    undecodable: Undecodable
    fallback: Charset
    detects: bool


class Conversion:
    """Converts content that comes in chunks. `declared` is the charset that the head of the response names, or that is
    forced; `source` is None until it is known."""

    def __init__(self, aims: Aims, declared: Charset | None, kind: Kind, language: Language) -> None:
        self._aims = aims
        self._declared = declared
        self._kind = kind
        self._language = language
        self._label = aims.target.name.encode()
        self._buffer = b""
        self._searched = 0
        self._head = b""
        self._step: Callable[[bytes, bool], bytes] = self._begin
        self._transcoder: Transcoder | None = None
        self.source: Charset | None = None

    @property
    def damaged(self) -> bool:
        """True once something was not decodable and was replaced."""
        return self._transcoder is not None and self._transcoder.decoder.damaged

    def feed(self, data: bytes, end: bool) -> bytes:
        """Return what is converted after the next chunk. Raises UnicodeDecodeError if undecodable bytes are to fail."""
        return self._step(data, end)

    def _begin(self, data: bytes, end: bool) -> bytes:
        """Wait for the part of the document that may declare the charset."""
        buffer = self._buffer = self._buffer + data
        size = window(self._kind, buffer, self._searched) or (len(buffer) if end else 0)
        self._searched = max(0, len(buffer) - _OVERLAP)
        if not size and not end:
            return b""
        self._head, rest, self._buffer = buffer[:size], buffer[size:], b""
        source = self._declaration()
        if source is not None:
            return self._decided(source, rest, end)
        if not self._aims.detects:
            return self._decided(self._aims.fallback, rest, end)
        self._step = self._search
        return self._search(rest, end)

    def _declaration(self) -> Charset | None:
        for mark, name in _MARKS:
            if self._head.startswith(mark):
                return find(name)
        if self._declared is not None:
            return self._declared
        for declared in declarations(self._kind, self._head):
            source = find(declared.label)
            if source is not None:
                return find("utf-8") if source.name in _UTF_16 else source
        return None

    def _search(self, data: bytes, end: bool) -> bytes:
        """Send on ASCII; wait for enough of what is not."""
        data = self._buffer + data
        head = len(self._head)
        content = self._head + data
        found = unusual(content)
        if found is None:
            self._head = self._buffer = b""
            return rewritten(self._kind, content[:head], self._label) + content[head:]
        sample = content[found.start() : found.start() + SAMPLE]
        if len(sample) < SAMPLE and not end:
            self._buffer = data
            return b""
        self._buffer = b""
        if b"\0" in sample:
            return self._decided(self._aims.target, data, end)  # no text, whatever its type says
        return self._decided(detect(sample) or self._aims.fallback, data, end)

    def _decided(self, source: Charset, rest: bytes, end: bool) -> bytes:
        """Convert what has come, and from now on what comes."""
        self.source = source
        head, self._head = self._head, b""
        if source == self._aims.target:
            self._step = _unchanged
            return head + rest
        for mark, name in _MARKS:
            if source.name == name:
                head = head.removeprefix(mark)
        transcoder = self._transcoder = Transcoder(
            source, self._aims.target, self._aims.undecodable, self._language
        )
        self._step = transcoder.feed
        return self._converted(transcoder, head, end and not rest) + (
            transcoder.feed(rest, end) if rest else b""
        )

    def _converted(self, transcoder: Transcoder, head: bytes, end: bool) -> bytes:
        """Return the beginning of the document, with declarations that name its new charset."""
        if not head:
            return transcoder.feed(head, end) if end else b""
        text = transcoder.decoder.decode(head, end).encode("utf-8", "surrogateescape")
        declared = rewritten(self._kind, text, self._label)
        return transcoder.encoder.encode(declared.decode("utf-8", "surrogateescape"), end)


def _unchanged(data: bytes, end: bool) -> bytes:
    return data
