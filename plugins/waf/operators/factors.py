"""Cheap expressions that match wherever a dear one does.

Hyperscan takes thousands of texts at once and builds its tables for them in milliseconds; for a few hundred long
expressions it takes a minute. So a long expression is represented by texts one of which every match contains. Of all
such sets that an expression has, the one that ordinary requests contain least often is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..expression import Expression
from .dialect import UnknownDialect, quote, translate
from .syntax import Border, Characters, Choice, Node, Repeat, Sequence, UnknownSyntax, parse

_MOST_TEXTS = 3000
_MOST_LETTERS = 4
"""A class of more letters is not spelled out."""
_SMALL = 60
"""An expression of so many places at most is searched for as it is."""
_OFTEN = 0.02

_FREQUENT = (
    dict.fromkeys(b"etaoinsrhl", 0.06) | dict.fromkeys(b"dcumfpgwybvk", 0.02) | dict.fromkeys(b"xjqz", 0.004)
)
_FREQUENT |= dict.fromkeys(b"0123456789", 0.02) | dict.fromkeys(b" /.=-_&", 0.02)
_FREQUENT |= (
    dict.fromkeys(b':,;"+', 0.01) | dict.fromkeys(b"()%?\n", 0.004) | dict.fromkeys(range(128, 256), 0.005)
)
_RARE = 0.0005


@dataclass(frozen=True, slots=True)
class _Facts:
    """Every match contains one of `texts`, if any, at `rate` in a byte of ordinary text; `exact` if it is one."""

    exact: frozenset[bytes] | None
    texts: frozenset[bytes] | None
    rate: float


def _rate(texts: Iterable[bytes]) -> float:
    total = 0.0
    for text in texts:
        product = 1.0
        for byte in text:
            product *= _FREQUENT.get(byte, _RARE)
        total += product
    return total


_NOTHING = _Facts(None, None, 1.0)
_EMPTY = _Facts(frozenset((b"",)), None, 1.0)


def _exactly(texts: frozenset[bytes]) -> _Facts:
    if b"" in texts:
        return _Facts(texts, None, 1.0)
    return _Facts(texts, texts, _rate(texts))


def _facts(node: Node) -> _Facts:
    if isinstance(node, Characters):
        letters = frozenset(bytes(node.members).lower())
        return (
            _exactly(frozenset(bytes((byte,)) for byte in letters))
            if len(letters) <= _MOST_LETTERS
            else _NOTHING
        )
    if isinstance(node, Sequence):
        return _facts_of_sequence(node.items)
    if isinstance(node, Choice):
        return _facts_of_choice(node.branches)
    if isinstance(node, Repeat):
        return _facts_of_repeat(node)
    return _EMPTY if isinstance(node, Border) else _NOTHING


def _facts_of_repeat(node: Repeat) -> _Facts:
    inner = _facts(node.item)
    if node.least == 0:
        if node.most == 1 and inner.exact is not None:
            return _exactly(inner.exact | {b""})
        return _NOTHING
    if node.least == node.most and node.least <= 4:
        return _facts_of_sequence((node.item,) * node.least)
    return _Facts(None, inner.texts, inner.rate)


def _facts_of_choice(branches: tuple[Node, ...]) -> _Facts:
    facts = [_facts(branch) for branch in branches]
    if all(fact.exact is not None for fact in facts):
        exact = frozenset().union(*(fact.exact or frozenset() for fact in facts))
        if len(exact) <= _MOST_TEXTS:
            return _exactly(exact)
    if any(fact.texts is None for fact in facts):
        return _NOTHING
    texts = frozenset().union(*(fact.texts or frozenset() for fact in facts))
    return _Facts(None, texts, _rate(texts)) if len(texts) <= _MOST_TEXTS else _NOTHING


def _facts_of_sequence(items: tuple[Node, ...]) -> _Facts:
    best = _NOTHING
    current: frozenset[bytes] = frozenset((b"",))
    whole = True
    for item in items:
        facts = _facts(item)
        if facts.exact is not None and len(current) * len(facts.exact) <= _MOST_TEXTS:
            current = frozenset(a + b for a in current for b in facts.exact)
            continue
        whole = False
        best = min(best, _exactly(current), facts, key=lambda one: one.rate)
        current = facts.exact if facts.exact is not None else frozenset((b"",))
    last = _exactly(current)
    if whole:
        return last
    best = min(best, last, key=lambda one: one.rate)
    return _Facts(None, best.texts, best.rate)


def _places(node: Node) -> int:
    """Return how many places an automaton for this has, about."""
    if isinstance(node, Sequence):
        return sum(map(_places, node.items))
    if isinstance(node, Choice):
        return sum(map(_places, node.branches))
    if isinstance(node, Repeat):
        return _places(node.item) * max(1, node.most or node.least)
    return 1 if isinstance(node, Characters) else 0


def _can_be_empty(node: Node) -> bool:
    if isinstance(node, Sequence):
        return all(map(_can_be_empty, node.items))
    if isinstance(node, Choice):
        return any(map(_can_be_empty, node.branches))
    if isinstance(node, Repeat):
        return node.least == 0 or _can_be_empty(node.item)
    return not isinstance(node, Characters)


def _without_longer(texts: frozenset[bytes]) -> list[bytes]:
    """Return the texts without those that contain another one."""
    kept: list[bytes] = []
    lengths: list[int] = []
    found: set[bytes] = set()
    for text in sorted(texts, key=len):
        if any(
            text[start : start + size] in found for size in lengths for start in range(len(text) - size + 1)
        ):
            continue
        kept.append(text)
        found.add(text)
        if len(text) not in lengths:
            lengths.append(len(text))
    return kept


def prefilter_of(pattern: bytes) -> tuple[Expression, ...] | None:
    """Return expressions one of which matches wherever `pattern` does, None if there are no useful ones."""
    try:
        loose = translate(pattern, loose=True)
        node = parse(loose)
    except (UnknownDialect, UnknownSyntax):
        return None
    if _can_be_empty(node):
        return None
    if _places(node) <= _SMALL:
        return (Expression(loose),)
    facts = _facts(node)
    if facts.texts is None or facts.rate > _OFTEN:
        return None
    return tuple(Expression(quote(text), caseless=True) for text in sorted(_without_longer(facts.texts)))
