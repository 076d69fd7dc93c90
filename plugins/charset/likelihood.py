"""How likely text is in the charsets of East Asia, beside one of single bytes. No I/O.

Each character costs the logarithm of how rare it is: the common ones of a charset lie together in its table. Charsets
of single bytes are taken as one, with the letters of Russian and of Thai, which fill the same pairs as Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import log2

Class = tuple[bytes, float]
"""A pattern of characters, and the bits that each costs."""

_RARE = 24.0
"""Bits of what is valid but hardly ever used."""
_ASCII = 5.0
"""Bits of an ASCII character."""


def _bits(share: float, characters: int) -> float:
    return log2(characters / share)


_HIGH = rb"[\xa1-\xfe]"
_CLASSES: dict[str, Sequence[Class]] = {
    "euc-kr": (
        (rb"[\xb0-\xc8]" + _HIGH, _bits(0.95, 2350)),
        (rb"[\xa1-\xa3]" + _HIGH, _bits(0.03, 282)),
        (rb"[\xca-\xfd]" + _HIGH, _bits(0.01, 4888)),
        (rb"[\x81-\xfe][\x41-\x5a\x61-\x7a\x81-\xfe]", _RARE),
    ),
    "gb18030": (
        (rb"[\xb0-\xd7]" + _HIGH, _bits(0.88, 3755)),
        (rb"[\xa1-\xa3]" + _HIGH, _bits(0.06, 282)),
        (rb"[\xd8-\xf7]" + _HIGH, _bits(0.05, 3008)),
        (rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", _RARE),
        (rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]", 2 * _RARE),
    ),
    "big5": (
        (rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]", _bits(0.9, 5401)),
        (rb"[\xa1-\xa3][\x40-\x7e\xa1-\xfe]", _bits(0.06, 408)),
        (rb"[\xc9-\xf9][\x40-\x7e\xa1-\xfe]", _bits(0.03, 7652)),
        (rb"[\x81-\xfe][\x40-\x7e\xa1-\xfe]", _RARE),
    ),
    "euc-jp": (
        (rb"[\xa4\xa5]" + _HIGH, _bits(0.55, 169)),
        (rb"[\xb0-\xcf]" + _HIGH, _bits(0.35, 2965)),
        (rb"[\xa1-\xa3]" + _HIGH, _bits(0.08, 282)),
        (rb"[\xd0-\xf4]" + _HIGH, _bits(0.01, 3390)),
        (rb"\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe][\xa1-\xfe]|[\xa1-\xfe][\xa1-\xfe]", _RARE),
    ),
    "shift_jis": (
        (rb"\x82[\x9f-\xf1]|\x83[\x40-\x7e\x80-\x96]", _bits(0.55, 169)),
        (rb"[\x88-\x97][\x40-\x7e\x80-\xfc]|\x98[\x40-\x72]", _bits(0.35, 2965)),
        (rb"\x81[\x40-\x7e\x80-\xfc]|\x82[\x40-\x9e]", _bits(0.08, 282)),
        (rb"[\xa1-\xdf]", 12.0),
        (rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]", _RARE),
    ),
}
_RUSSIAN: Sequence[Class] = (
    (rb"[\xc1\xc5\xc9\xce\xcf\xd2\xd3\xd4]|[\xe0\xe5\xe8\xed\xee\xf0\xf1\xf2]", 4.6),  # а е и н о р с т
    (rb"[\xc0-\xdf]|[\xe0-\xff]", 6.0),
    (rb"[\x80-\xff]", 9.0),
)
_THAI: Sequence[Class] = (
    (rb"[\xa1\xa7\xb4\xb5\xb7\xb9\xc1-\xc3\xc5\xc7\xca\xcd\xd1\xd2\xd4\xd5\xe0\xe8\xe9]", 4.7),
    (rb"[\xa1-\xda\xdf-\xfb]", 8.0),
    (rb"[\x80-\xff]", 14.0),
)


class _Model:
    """Counts the characters of each class."""

    def __init__(self, classes: Sequence[Class]) -> None:
        self._bits = [bits for _, bits in classes]
        self._next = re.compile(b"|".join(b"(%b)" % pattern for pattern, _ in classes) + rb"|([\x00-\x7f])")

    def bits(self, sample: bytes) -> float | None:
        """Return what `sample` costs, None if it is not in the charset. Its last character may be cut."""
        total, at = 0.0, 0
        while at < len(sample):
            found = self._next.match(sample, at)
            if found is None:
                return total if at + 4 > len(sample) and len(sample) == SAMPLE else None
            at = found.end()
            group = found.lastindex or 1
            total += self._bits[group - 1] if group <= len(self._bits) else _ASCII
        return total


SAMPLE = 1024
_MODELS = {name: _Model(classes) for name, classes in _CLASSES.items()}
_SINGLE = (_Model(_RUSSIAN), _Model(_THAI))


def likeliest(sample: bytes) -> str:
    """Return the name of the likeliest charset of East Asia, "" if one of single bytes is likelier."""
    sample = sample[:SAMPLE]
    best, least = "", min(model.bits(sample) or 0.0 for model in _SINGLE)
    for name, model in _MODELS.items():
        bits = model.bits(sample)
        if bits is not None and bits < least:
            best, least = name, bits
    return best
