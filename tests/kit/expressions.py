"""Texts that a regular expression matches."""

from __future__ import annotations

import random

from adc_plugins.waf.operators.syntax import Border, Characters, Choice, Node, Repeat, Sequence


def sample(node: Node, chance: random.Random) -> bytes:
    """Return a text that the structure matches, if its borders allow it."""
    if isinstance(node, Characters):
        return bytes((chance.choice(sorted(node.members)),))
    if isinstance(node, Sequence):
        return b"".join(sample(item, chance) for item in node.items)
    if isinstance(node, Choice):
        return sample(chance.choice(node.branches), chance)
    if isinstance(node, Repeat):
        most = node.least + 2 if node.most is None else node.most
        times = chance.randint(node.least, min(most, node.least + 2))
        return b"".join(sample(node.item, chance) for _ in range(times))
    assert isinstance(node, Border)
    return b""
