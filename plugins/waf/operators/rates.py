"""How often a text or a structure begins at a byte of ordinary requests, roughly."""

from __future__ import annotations

import math

from .syntax import Border, Characters, Choice, Node, Repeat, Sequence

_RARE = 0.0005
_RATES = [_RARE] * 256
for _bytes, _rate in (
    (b"etaoinsrhl", 0.06),
    (b"dcumfpgwybvk", 0.02),
    (b"0123456789 /.-_", 0.02),
    (b'xjqz:,"+', 0.008),
    (b"()?;=\n", 0.004),
    (b"&%", 0.002),
    (bytes(range(128, 256)), 0.003),
):
    for _byte in _bytes:
        _RATES[_byte] = _rate
for _byte in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ":
    _RATES[_byte] = _RATES[_byte | 0x20] / 8
_MOST_REPEATS = 12


def rate_of_text(text: bytes) -> float:
    """Return the rate of a text in small letters."""
    return math.prod([_RATES[byte] for byte in text])


def rate(node: Node) -> float:
    """Return the rate of a structure, at most 1."""
    if isinstance(node, Characters):
        return min(1.0, sum([_RATES[byte] for byte in node.members]))
    if isinstance(node, Sequence):
        return math.prod(map(rate, node.items))
    if isinstance(node, Choice):
        return min(1.0, sum(map(rate, node.branches)))
    if isinstance(node, Repeat):
        return math.pow(rate(node.item), min(node.least, _MOST_REPEATS))
    return 0.3 if isinstance(node, Border) and node.text else 1.0
