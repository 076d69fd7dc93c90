"""The rules of a route, compiled: which streams they make. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from adc_plugins.substitute.finders import Expression, Finder, Text, Texts
from adc_plugins.substitute.literal import Literal, overlaps_itself
from adc_plugins.substitute.options import LONGEST, Rule
from adc_plugins.substitute.replacing import Part, filled, parts, replacer
from adc_plugins.substitute.stream import (
    Blocks,
    ManyTexts,
    OneLiteral,
    OneText,
    Rules,
    Stream,
    Tail,
)

from adc.plugin import BytesRule, Context, OptionErrors

_TOGETHER = LONGEST
"""Bytes of texts in one search: together they stay under the limit of an expression."""

_FEW = 4
"""Up to so many texts, a search for each is faster than one for all."""


class Plan:
    """Compiled rules. Raises OptionErrors for an expression, or a replacement, that cannot be used."""

    def __init__(self, rules: Sequence[Rule], window: int) -> None:
        self._window = window
        self._once = frozenset(number for number, rule in enumerate(rules) if rule.once)
        self._finders: list[Finder] = []
        self._parts: list[tuple[Part, ...]] = []
        self._compile(rules)
        texts = [rule.find.encode() for rule in rules if rule.find is not None]
        self._tail = Tail(texts) if len(texts) == len(rules) else None
        only = rules[0]
        self._only = texts[0] if len(rules) == 1 and texts and not (only.ignore_case or only.once) else b""
        self._literal = _literal(self._only) if self._only else None
        self._fixed = None if self._varies else [_fixed(each) for each in self._parts]

    @property
    def _varies(self) -> bool:
        return any(isinstance(part, str) for each in self._parts for part in each)

    def stream(self, context: Context, content_type: bytes, counted: Callable[[int], None]) -> Stream:
        """Return a stream for the content of one response."""
        replacements = self._fixed or [filled(each, context, content_type) for each in self._parts]
        if self._tail is not None and self._only:
            text = b"".join(part for part in replacements[0] if isinstance(part, bytes))
            if self._literal is not None:
                return OneLiteral(self._literal.replaced_by(text), self._tail, counted)
            return OneText(self._only, text, self._tail, counted)
        rules = Rules(self._finders, self._once, replacer(replacements), counted)
        if self._tail is not None:
            return ManyTexts(rules, self._tail)
        return Blocks(rules, self._window)

    def _compile(self, rules: Sequence[Rule]) -> None:
        alike: dict[bool, list[tuple[int, bytes]]] = {False: [], True: []}
        errors = []
        for number, rule in enumerate(rules):
            try:
                self._add(number, rule, alike)
            except ValueError as error:
                errors.append((("rules", number, "regex"), str(error)))
        if errors:
            raise OptionErrors(errors)
        for ignore_case, texts in alike.items():
            self._finders += _together(texts, ignore_case=ignore_case)

    def _add(self, number: int, rule: Rule, alike: dict[bool, list[tuple[int, bytes]]]) -> None:
        if rule.regex is not None:
            flag = "(?i)" if rule.ignore_case else ""
            expression = BytesRule(flag + rule.regex, rule.replace)
            self._finders.append(Expression(number, expression))
            self._parts.append(parts(expression.pieces))
            return
        self._parts.append(parts((rule.replace.encode(),)))
        text = (number, (rule.find or "").encode())
        if rule.once:
            self._finders += _together([text], ignore_case=rule.ignore_case)
        else:
            alike[rule.ignore_case].append(text)


def _literal(text: bytes) -> Literal | None:
    if overlaps_itself(text):
        return None
    try:
        return Literal(text)
    except ValueError:
        return None


def _fixed(replacement: tuple[Part, ...]) -> tuple[bytes | int, ...]:
    return tuple(part for part in replacement if not isinstance(part, str))


def _together(texts: Sequence[tuple[int, bytes]], *, ignore_case: bool) -> Iterator[Finder]:
    if not ignore_case and len(texts) <= _FEW:
        for number, text in texts:
            yield Text(number, text)
        return
    group: list[tuple[int, bytes]] = []
    for each in texts:
        if group and sum(len(text) for _, text in (*group, each)) > _TOGETHER:
            yield Texts(group, ignore_case=ignore_case)
            group = []
        group.append(each)
    if group:
        yield Texts(group, ignore_case=ignore_case)
