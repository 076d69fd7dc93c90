"""When a rule has to be evaluated at all: what must be in a request before it can match."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adc_plugins.waf.engine.rule import CompiledRule, Link
from adc_plugins.waf.engine.state import VOLATILE
from adc_plugins.waf.expression import Expression
from adc_plugins.waf.seclang.model import Target
from adc_plugins.waf.transformations import TRANSFORMATIONS

Prefilter = Callable[[Link], Sequence[Expression] | None]
"""Returns the expressions one of which matches wherever the link's operator does, None if it must always run."""

CONDITIONS_PER_RULE: Final = 2


@dataclass(frozen=True, slots=True)
class Source:
    """A variable, or one request header, that is read. `key` is lower-case, empty for the whole variable."""

    variable: str
    key: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """A link can match only if one of `sources` has a value, one with one of `expressions` if there are any.

    `absent` turns it around: the link can match only if the source has no value.
    """

    link: Link
    sources: tuple[Source, ...]
    expressions: tuple[Expression, ...] = ()
    absent: bool = False


def conditions(rule: CompiledRule, prefilter: Prefilter) -> list[Condition]:
    """Return conditions all of which hold whenever the evaluation of `rule` changes anything."""
    found = []
    for link in rule.links:
        condition = _condition(link, prefilter)
        if condition is not None:
            found.append(condition)
        if link.steps or link.capture or len(found) == CONDITIONS_PER_RULE:
            break
    return found


def _condition(link: Link, prefilter: Prefilter) -> Condition | None:
    if link.targets is None or link.operator is None:
        return None
    wanted = [target for target in link.targets.targets if not target.excluded]
    if any(target.variable in VOLATILE for target in wanted):
        return None
    sources = tuple(dict.fromkeys(map(_source, wanted)))
    if any(target.count for target in wanted):
        return _of_count(link, wanted, sources)
    expressions = None if link.negated or link.argument is not None else prefilter(link)
    if expressions is None:
        return Condition(link, sources)
    if any(name in TRANSFORMATIONS and TRANSFORMATIONS[name].cases for name in link.transformations.names):
        expressions = [Expression(each.pattern, True) for each in expressions]
    return Condition(link, sources, tuple(expressions))


def _of_count(link: Link, wanted: Sequence[Target], sources: tuple[Source, ...]) -> Condition | None:
    """Return the condition of a rule that looks at one number of values, such as `&ARGS:id "@gt 1"`."""
    if len(wanted) > 1 or link.argument is not None or link.operator is None or link.transformations.names:
        return None
    matches_none = (link.operator.match(b"0") is not None) is not link.negated
    if not matches_none:
        return Condition(link, sources)
    only_none = (
        link.call is not None
        and link.call.name == "eq"
        and link.operator.match(b"1") is None
        and not link.negated
        and wanted[0].variable == "REQUEST_HEADERS"
    )
    keyed = wanted[0].key is not None and not wanted[0].pattern
    return Condition(link, sources, absent=True) if only_none and keyed else None


def _source(target: Target) -> Source:
    if target.variable == "XML":
        return Source("XML", target.key or "")
    if target.variable == "REQUEST_HEADERS" and target.key is not None and not target.pattern:
        return Source("REQUEST_HEADERS", target.key)
    return Source(target.variable)
