"""What a rule reads and writes in TX, as far as its text says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adc_plugins.waf.seclang.model import OperatorCall, Rule

_MACRO: Final = re.compile(r"%\{([^{}]*)\}")
_SETVAR: Final = re.compile(r"!?\s*tx\.([^=\s]+)", re.IGNORECASE)
_CAPTURED: Final = frozenset(str(number) for number in range(10))
_CHANGED_BY_LIMITS: Final = "msc_pcre_limits_exceeded"


@dataclass(frozen=True, slots=True)
class TxUse:
    """Lower-case names. `prefixes` begin names that are known only when the rule runs."""

    reads: frozenset[str]
    reads_any: bool
    writes: frozenset[str]
    prefixes: frozenset[str]
    only_tx: bool
    """True if the rule reads nothing else, so that its result depends on TX alone."""


def tx_use(rule: Rule) -> TxUse:
    """Return what the rules of a chain read and write."""
    reads: set[str] = set()
    writes: set[str] = set()
    prefixes: set[str] = set()
    reads_any = False
    only_tx = True
    for link in links_of(rule):
        for target in link.targets:
            if target.variable != "TX":
                only_tx = False
            elif target.key is None or target.pattern or target.excluded:
                reads_any = True
            else:
                reads.add(target.key)
        for name in _macros(link):
            variable, _, key = name.replace(":", ".", 1).lower().partition(".")
            if variable == "tx":
                reads.add(key)
            elif not variable.startswith(("matched_", "rule")):
                only_tx = False
        if link.inspect is not None:
            reads_any, only_tx = True, False
        _add_writes(link, writes, prefixes)
    return TxUse(
        frozenset(reads), reads_any, frozenset(writes), frozenset(prefixes), only_tx and not reads_any
    )


def condition_reads(link: Rule) -> frozenset[str] | None:
    """Return the names that decide whether the first rule of a chain matches, None if others than TX decide too."""
    argument = link.operator.argument if link.operator else ""
    use = tx_use(
        Rule(link.place, 0, link.phase, link.targets, OperatorCall("rx", argument), (), inspect=link.inspect)
    )
    return use.reads if use.only_tx else None


def links_of(rule: Rule) -> Iterator[Rule]:
    """Yield the rules of a chain."""
    link: Rule | None = rule
    while link is not None:
        yield link
        link = link.chain


def _macros(link: Rule) -> Iterator[str]:
    texts = [action.value for action in link.actions]
    if link.operator is not None:
        texts.append(link.operator.argument)
    for text in texts:
        yield from _MACRO.findall(text)


def _add_writes(link: Rule, writes: set[str], prefixes: set[str]) -> None:
    if any(target.variable != "TX" for target in link.targets):
        writes.add(_CHANGED_BY_LIMITS)
    for action in link.actions:
        if action.name == "capture":
            writes.update(_CAPTURED)
        found = _SETVAR.match(action.value) if action.name == "setvar" else None
        if found:
            name, macro, _ = found[1].lower().partition("%{")
            (prefixes if macro else writes).add(name)
