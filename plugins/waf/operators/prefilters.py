"""Cheap expressions that match wherever a dear one does.

Hyperscan takes thousands of texts at once and builds its tables for them in milliseconds; for a few hundred long
expressions it takes a minute. So a long expression is represented by texts one of which every match contains, or by a
short part of it: whatever ordinary requests contain least often.
"""

from __future__ import annotations

from ..expression import Expression
from .dialect import UnknownDialect, quote, translate
from .factors import Factor, factor_of, without_longer
from .syntax import UnknownSyntax, parse
from .windows import SELDOM, can_be_empty, simplify, window_of, write

_TOO_OFTEN = 0.05


def prefilter_of(pattern: bytes) -> tuple[Expression, ...] | None:
    """Return expressions one of which matches wherever `pattern` does, None if there are no useful ones."""
    try:
        node = parse(translate(pattern, loose=True))
    except (UnknownDialect, UnknownSyntax):
        return None
    if can_be_empty(node):
        return None
    factor = factor_of(node)
    if factor is not None and factor.rate <= SELDOM:
        return _of_factor(factor)
    window = window_of(simplify(node))
    if factor is not None and factor.rate <= _TOO_OFTEN and (window is None or factor.rate <= window.rate):
        return _of_factor(factor)
    if window is None or window.rate > _TOO_OFTEN:
        return None
    return (Expression(write(window.node)),)


def _of_factor(factor: Factor) -> tuple[Expression, ...]:
    return tuple(Expression(quote(text), caseless=True) for text in without_longer(factor.texts))
