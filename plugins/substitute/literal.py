"""A text that PCRE2 compiles to machine code. No I/O."""

from __future__ import annotations

from collections.abc import Callable

import pcre2

Replace = Callable[[bytes], tuple[bytes, int]]
"""Returns content with every occurrence replaced, and their number."""

LONGEST = 64
"""Bytes of a text. Content that begins with almost all of it again and again costs a comparison of that length for each
byte."""


class Literal:
    """Finds a text in a third of the time that `bytes.split` takes. Raises ValueError for a text that it does not
    search for, or on a machine for which PCRE2 has no compiler."""

    def __init__(self, text: bytes) -> None:
        if len(text) > LONGEST:
            raise ValueError("the text is too long")
        try:
            self._pattern = pcre2.compile(b"".join(b"\\x%02x" % byte for byte in text))
        except pcre2.LibraryError as error:
            raise ValueError(str(error)) from error

    def replaced_by(self, replacement: bytes) -> Replace:
        """Return what replaces the text by `replacement`."""
        template = replacement.replace(b"\\", b"\\\\").replace(b"$", b"$$")
        subn = self._pattern.subn

        def replace(content: bytes) -> tuple[bytes, int]:
            made: tuple[bytes, int] = subn(template, content)
            return made

        return replace


def overlaps_itself(text: bytes) -> bool:
    """True if an occurrence of `text`, in any spelling of its letters, may begin within another one."""
    text = text.lower()
    return any(text.startswith(text[start:]) for start in range(1, len(text)))
