"""Rules as parsed to rules ready to run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from adc_plugins.waf.engine.control import compile_control, removed_rules
from adc_plugins.waf.engine.macros import text_of
from adc_plugins.waf.engine.rule import CompiledRule, Link, Verdict
from adc_plugins.waf.engine.rule_index import PHASES, Position, RuleIndex
from adc_plugins.waf.engine.steps import Step, compile_step
from adc_plugins.waf.engine.targets import Namespaces, TargetList, exclusion_of
from adc_plugins.waf.engine.transforms import TransformationChain
from adc_plugins.waf.operators import Operator, compile_operator
from adc_plugins.waf.seclang.model import Place, Program, Rule, SecLangError, Target
from adc_plugins.waf.seclang.names import DISRUPTIVE, SEVERITIES

ReadData = Callable[[Place, str], bytes]
"""Returns the content of a data file that the rule at the place names."""

_DENIED: Final = 403
_REDIRECTED: Final = 302
_SCOPES: Final = ("", "phase", "request")


def compile_rules(program: Program, read: ReadData) -> list[list[CompiledRule]]:
    """Return the rules of each phase, in the order of the files; phases count from 1."""
    return _Compiler(program, read).rules()


class _Compiler:
    """Shares lists of targets and transformations among rules, so that their results are shared too."""

    def __init__(self, program: Program, read: ReadData) -> None:
        self._index = RuleIndex(program)
        self._read = read
        self._targets: dict[tuple[tuple[Target, ...], Namespaces], TargetList] = {}
        self._chains: dict[tuple[str, ...], TransformationChain] = {}

    def rules(self) -> list[list[CompiledRule]]:
        """Return all rules by phase."""
        phases: list[list[CompiledRule]] = [[] for _ in range(PHASES)]
        for rule, position in self._index.rules:
            phases[position[0]].append(self._rule(rule, position))
        return phases

    def _rule(self, rule: Rule, position: Position) -> CompiledRule:
        return CompiledRule(
            rule.id,
            rule.place,
            position[0],
            position[1],
            tuple(self._link(link) for link in _links(rule)),
            _verdict(rule),
            self._jump(rule, position),
            text_of(rule.last("msg") or ""),
            text_of(rule.last("logdata") or ""),
            _severity(rule),
            rule.tags,
            rule.last("rev") or "",
            not _says(rule, "nolog", "log"),
            not _says(rule, "noauditlog", "auditlog"),
            rule,
        )

    def _jump(self, rule: Rule, position: Position) -> int:
        jumps = [-1]
        for link in _links(rule):
            marker, count = link.last("skipafter"), link.last("skip")
            if marker is not None:
                jumps.append(self._index.after(position, marker))
            if count is not None:
                jumps.append(position[1] + 1 + _number(count, "skip", link.place))
        return jumps[-1]

    def _link(self, rule: Rule) -> Link:
        operator = self._operator(rule)
        return Link(
            self._target_list(rule) if operator else None,
            self._chain(rule.transformations),
            operator,
            rule.operator,
            text_of(rule.operator.argument) if rule.operator and operator and operator.has_macros else None,
            bool(rule.operator and rule.operator.negated),
            rule.multi_match,
            any(action.name == "capture" for action in rule.actions),
            tuple(self._steps(rule)),
            tuple(self._removals(rule)),
            rule.inspect,
            tuple(exclusion_of(target, rule.place) for target in rule.targets) if rule.inspect else (),
        )

    def _operator(self, rule: Rule) -> Operator | None:
        if rule.operator is None:
            return None
        return compile_operator(rule.operator, rule.place, lambda name: self._read(rule.place, name))

    def _target_list(self, rule: Rule) -> TargetList:
        namespaces = tuple(_namespace(action.value) for action in rule.actions if action.name == "xmlns")
        known = self._targets.get((rule.targets, namespaces))
        if known is None:
            known = TargetList(rule.targets, rule.place, namespaces)
            self._targets[rule.targets, namespaces] = known
        return known

    def _chain(self, names: tuple[str, ...]) -> TransformationChain:
        known = self._chains.get(names)
        if known is None:
            known = self._chains[names] = TransformationChain(names)
        return known

    def _removals(self, rule: Rule) -> Iterator[Sequence[int]]:
        for action in rule.actions:
            removed = removed_rules(action.value, rule.place, self._index) if action.name == "ctl" else None
            if removed is not None:
                yield removed

    def _steps(self, rule: Rule) -> Iterator[Step]:
        for action in rule.actions:
            if action.name == "ctl":
                yield compile_control(action.value, rule.place, self._index)
                continue
            step = compile_step(action, rule.place)
            if step is not None:
                yield step


def _namespace(value: str) -> tuple[str, str]:
    prefix, _, uri = value.partition("=")
    return prefix, uri


def _links(rule: Rule) -> Iterator[Rule]:
    link: Rule | None = rule
    while link is not None:
        yield link
        link = link.chain


def _verdict(rule: Rule) -> Verdict:
    action = next((item for item in reversed(rule.actions) if item.name in DISRUPTIVE), None)
    name = action.name if action else "pass"
    value = action.value if action else ""
    if name == "proxy":
        raise SecLangError(rule.place, "the action proxy is not supported; use a route")
    if name == "allow" and value.lower() not in _SCOPES:
        raise SecLangError(
            rule.place, f'unknown scope "allow:{value}"; use allow, allow:phase or allow:request'
        )
    status = rule.last("status")
    default = _REDIRECTED if name == "redirect" else _DENIED
    code = default if status is None else _number(status, "status", rule.place)
    return Verdict("pass" if name == "block" else name, code, text_of(value), value.lower() or "all")


def _severity(rule: Rule) -> int | None:
    value = rule.last("severity")
    if value is None:
        return None
    if value.upper() in SEVERITIES:
        return SEVERITIES.index(value.upper())
    return _number(value, "severity", rule.place)


def _says(rule: Rule, name: str, opposite: str) -> bool:
    """Return True if the later of two opposite actions is `name`."""
    said: Sequence[str] = [action.name for action in rule.actions if action.name in (name, opposite)]
    return bool(said) and said[-1] == name


def _number(text: str, action: str, place: Place) -> int:
    if not text.strip().isdigit():
        raise SecLangError(place, f'{action} "{text}" is not a number')
    return int(text)
