"""Conditions on the text of a header, query field, cookie, path or name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from adc.http.patterns import Pattern


@dataclass(frozen=True, slots=True)
class Exact:
    """Equal to `text`, case-sensitive."""

    text: str

    def accepts(self, value: str) -> bool:
        return value == self.text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Prefix:
    """Begins with `text`."""

    text: str

    def accepts(self, value: str) -> bool:
        return value.startswith(self.text)

    def __str__(self) -> str:
        return f"{self.text}*"


@dataclass(frozen=True, slots=True)
class Regex:
    """Holds a match of `text` anywhere. A pattern that does not compile raises `ValueError`."""

    text: str
    pattern: Pattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "pattern", Pattern(self.text))
        except ValueError as error:
            raise ValueError(f"not a regular expression: {error}") from error

    def accepts(self, value: str) -> bool:
        return self.pattern.found_in(value)

    def __str__(self) -> str:
        return f"/{self.text}/"


@dataclass(frozen=True, slots=True)
class Present:
    """Present with any value; with `wanted` False: absent."""

    wanted: bool = True

    def __str__(self) -> str:
        return "present" if self.wanted else "absent"


TextRule = Exact | Prefix | Regex
ValueRule = TextRule | Present


def accept_any(rules: Sequence[ValueRule]) -> Callable[[Sequence[str]], bool]:
    """Return one test of all values that a name has in a request (none: it is absent): any value, any rule."""
    exact = frozenset(rule.text for rule in rules if isinstance(rule, Exact))
    tests = tuple(rule.accepts for rule in rules if isinstance(rule, Prefix | Regex))
    if_present = Present(True) in rules
    if_absent = Present(False) in rules

    def accepts(values: Sequence[str]) -> bool:
        if not values:
            return if_absent
        if if_present or not exact.isdisjoint(values):
            return True
        return any(test(value) for test in tests for value in values)

    return accepts
