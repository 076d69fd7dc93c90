"""Texts one of which every match of an expression contains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .rates import rate_of_text
from .syntax import Characters, Choice, Node, Repeat, Sequence

_MOST_TEXTS = 3000
_MOST_LETTERS = 4
"""A class of more letters is not spelled out."""
_MOST_REPEATS = 4


@dataclass(frozen=True, slots=True)
class Factor:
    """Texts in small letters, and how often one of them begins at a byte of ordinary requests."""

    texts: frozenset[bytes]
    rate: float


@dataclass(frozen=True, slots=True)
class _Facts:
    """All texts that match, if they are few, and the best factor."""

    exact: frozenset[bytes] | None
    best: Factor | None


_NOTHING = _Facts(None, None)
_EMPTY = _Facts(frozenset((b"",)), None)


def factor_of(node: Node) -> Factor | None:
    """Return the texts that ordinary requests contain least often, None if the expression has no such texts."""
    return _facts(node).best


def without_longer(texts: Iterable[bytes]) -> list[bytes]:
    """Return the texts without those that contain another one."""
    found: set[bytes] = set()
    lengths: list[int] = []
    for text in sorted(texts, key=len):
        if any(
            text[start : start + size] in found for size in lengths for start in range(len(text) - size + 1)
        ):
            continue
        found.add(text)
        if not lengths or lengths[-1] != len(text):
            lengths.append(len(text))
    return sorted(found)


def _facts(node: Node) -> _Facts:
    if isinstance(node, Characters):
        letters = frozenset(bytes(node.members).lower())
        return (
            _exactly(frozenset(b"%c" % byte for byte in letters))
            if len(letters) <= _MOST_LETTERS
            else _NOTHING
        )
    if isinstance(node, Sequence):
        return _facts_of_sequence(node.items)
    if isinstance(node, Choice):
        return _facts_of_choice(node.branches)
    if isinstance(node, Repeat):
        return _facts_of_repeat(node)
    return _EMPTY


def _exactly(texts: frozenset[bytes]) -> _Facts:
    return _Facts(texts, _factor(texts))


def _factor(texts: frozenset[bytes]) -> Factor | None:
    return None if b"" in texts else Factor(texts, sum(map(rate_of_text, texts)))


def _better(one: Factor | None, other: Factor | None) -> Factor | None:
    if one is None or other is None:
        return one or other
    return one if one.rate <= other.rate else other


def _facts_of_repeat(node: Repeat) -> _Facts:
    if node.least == 0:
        exact = _facts(node.item).exact if node.most == 1 else None
        return _NOTHING if exact is None else _Facts(exact | {b""}, None)
    if node.least == node.most and node.least <= _MOST_REPEATS:
        return _facts_of_sequence((node.item,) * node.least)
    return _Facts(None, _facts(node.item).best)


def _facts_of_choice(branches: tuple[Node, ...]) -> _Facts:
    facts = [_facts(branch) for branch in branches]
    exact = [fact.exact for fact in facts if fact.exact is not None]
    if len(exact) == len(facts) and sum(map(len, exact)) <= _MOST_TEXTS:
        return _exactly(frozenset[bytes]().union(*exact))
    best = [fact.best for fact in facts if fact.best is not None]
    if len(best) < len(facts) or sum(len(factor.texts) for factor in best) > _MOST_TEXTS:
        return _NOTHING
    return _Facts(None, _factor(frozenset[bytes]().union(*(factor.texts for factor in best))))


def _facts_of_sequence(items: tuple[Node, ...]) -> _Facts:
    best: Factor | None = None
    current: frozenset[bytes] = frozenset((b"",))
    whole = True
    for item in items:
        facts = _facts(item)
        if facts.exact is not None and len(current) * len(facts.exact) <= _MOST_TEXTS:
            current = frozenset([a + b for a in current for b in facts.exact])
            continue
        whole = False
        best = _better(best, _better(_factor(current), facts.best))
        current = facts.exact if facts.exact is not None else frozenset((b"",))
    if whole:
        return _exactly(current)
    return _Facts(None, _better(best, _factor(current)))
