"""Directives of SecLang as the parser leaves them: checked, with their place, not yet compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written; lines count from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class SecLangError(ValueError):
    """A rule file that cannot be used; the text begins with the place."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Target:
    """One item of a rule's list of variables: `ARGS`, `!ARGS:page`, `&REQUEST_HEADERS:Host`, `ARGS:/^id_/`.

    `variable` is upper-case. `key` is the selected key, lower-case, None for all; with `pattern` it is a regular
    expression as written, between its slashes; of `XML` it is an XPath expression as written. `count` stands for the
    number of values; `excluded` removes what it names.
    """

    variable: str
    key: str | None = None
    pattern: bool = False
    count: bool = False
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class OperatorCall:
    """`@rx pattern`: `name` is lower-case without the at sign; `argument` is as written, with quotes unescaped."""

    name: str
    argument: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """`id:1`, `setvar:tx.a=1`, `deny`: `name` is lower-case, `value` as written without quotes."""

    name: str
    value: str = ""


class Values(Protocol):
    """The variables of an exchange."""

    def get(self, name: str) -> Sequence[tuple[bytes, bytes]]:
        """Return key and value of each item of the variable `name`."""


Inspect = Callable[[Values], tuple[str, bytes, bytes] | None]
"""Looks at an exchange: variable, key and value of what matched, None for no match. Does not raise."""


@dataclass(frozen=True, slots=True)
class CodeRule:
    """A rule in Python for a program. `level` is its paranoia level; `actions` are complete, and one is disruptive."""

    place: Place
    level: int
    actions: tuple[Action, ...]
    inspect: Inspect


@dataclass(frozen=True, slots=True)
class Rule:
    """A SecRule with the rules chained behind it, or a SecAction (`targets` and `operator` empty).

    `actions` are in the order written, with those of SecDefaultAction that the rule inherits before them. At most one
    of them is disruptive: `block` is replaced by what SecDefaultAction says, `pass` without one. The actions that
    fields stand for are left out: `id`, `phase`, `t` and `chain`. Of an action that counts once, one is left.
    `transformations` are the names, lower-case, in the order in which they run, after `t:none` has cleared those before
    it. `id` is 0 in a chained rule. `phase` is 1 to 5.
    """

    place: Place
    id: int
    phase: int
    targets: tuple[Target, ...]
    operator: OperatorCall | None
    actions: tuple[Action, ...]
    transformations: tuple[str, ...] = ()
    multi_match: bool = False
    chain: Rule | None = None
    inspect: Inspect | None = None
    """What a rule in Python does in place of an operator; its targets are those that it may not match."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The values of its `tag` actions."""
        return tuple(action.value for action in self.actions if action.name == "tag")

    def last(self, name: str) -> str | None:
        """Return the value of the last action `name`, None without one."""
        return next((action.value for action in reversed(self.actions) if action.name == name), None)


@dataclass(frozen=True, slots=True)
class Marker:
    """A SecMarker, to which `skipAfter` leads."""

    place: Place
    name: str


DEFAULT_TYPES: Final = ("text/plain", "text/html", "text/xml")


@dataclass(frozen=True, slots=True)
class Settings:
    """Directives that configure the engine; sizes in bytes, times in seconds. The defaults are ModSecurity's."""

    engine: str = "on"
    """`on`, `off` or `detectiononly`."""
    request_body_access: bool = True
    request_body_limit: int = 131_072
    request_body_no_files_limit: int = 131_072
    request_body_limit_action: str = "reject"
    """`reject` or `processpartial`."""
    request_body_json_depth: int = 512
    response_body_access: bool = True
    response_body_limit: int = 524_288
    response_body_limit_action: str = "processpartial"
    response_body_mime_types: tuple[str, ...] = DEFAULT_TYPES
    arguments_limit: int = 1_000
    argument_separator: str = "&"
    collection_timeout: int = 3_600
    component_signatures: tuple[str, ...] = ()
    parse_xml_into_args: str = "off"
    """`on`, `off` or `onlyargs`."""


@dataclass(frozen=True, slots=True)
class LoadWarning:
    """Something that loads and has no effect, such as the removal of a rule that does not exist."""

    place: Place
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Program:
    """Everything that a set of files says: rules and markers in order, with later updates and removals applied."""

    settings: Settings
    items: tuple[Rule | Marker, ...]
    warnings: tuple[LoadWarning, ...] = ()
