"""What rewriting a document needs besides the rules: changes of links, nonces, and the encoding of inserted HTML."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from typing import Protocol

from webencodings import Encoding

from .tags import StartTag


class Edits(Protocol):
    """Changes of tags by their names."""

    @property
    def names(self) -> frozenset[bytes]:
        """The elements whose start tags are given to `start`."""

    def start(self, tag: StartTag) -> None:
        """Edit a start tag."""


class Document:
    """`inline_style` edits the values of `style` attributes, `style_sheet` the content of `style` elements."""

    def __init__(
        self,
        edits: Sequence[Edits] = (),
        encoding: Encoding | None = None,
        nonce: str = "",
        inline_style: Callable[[str], str] | None = None,
        style_sheet: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._edits: dict[bytes, list[Edits]] = {}
        for each in edits:
            for name in each.names:
                self._edits.setdefault(name, []).append(each)
        self._encode = encoding.codec_info.encode if encoding else codecs.ascii_encode
        self._nonce = nonce
        self.inline_style = inline_style
        self.style_sheet = style_sheet

    def edit(self, tag: StartTag) -> None:
        """Edit a start tag."""
        for each in self._edits.get(tag.name, ()):
            each.start(tag)
        if self.inline_style is not None and b"(" in tag.raw:
            style = tag.get(b"style")
            if style:
                changed = self.inline_style(style)
                if changed != style:
                    tag.set(b"style", changed)

    def encoded(self, html: str) -> bytes:
        """Return `html` in the encoding of the document; characters that it lacks become references."""
        text = html.replace("{nonce}", self._nonce) if self._nonce else html
        return bytes(self._encode(text, "xmlcharrefreplace")[0])
