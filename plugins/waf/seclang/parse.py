"""Files of rules to a program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from adc_plugins.waf.seclang import changes, settings
from adc_plugins.waf.seclang.actions import parse_actions
from adc_plugins.waf.seclang.code_position import evaluation_position, guarded
from adc_plugins.waf.seclang.drafts import DENIED, Draft, bad_status, check_chained
from adc_plugins.waf.seclang.include import read_files, read_included
from adc_plugins.waf.seclang.lines import Line, logical_lines
from adc_plugins.waf.seclang.model import (
    Action,
    CodeRule,
    LoadWarning,
    Marker,
    Place,
    Program,
    Rule,
    SecLangError,
    Settings,
)
from adc_plugins.waf.seclang.names import DISRUPTIVE
from adc_plugins.waf.seclang.operator_call import parse_operator
from adc_plugins.waf.seclang.suggest import unknown
from adc_plugins.waf.seclang.targets import parse_targets

_REFUSED: Final = {
    "secrulescript": "rules in Lua are not supported; write the rule in Python",
    "secremoterules": "rules are not downloaded; store the file and name it under rules",
    "secremoterulesfailaction": "rules are not downloaded; store the file and name it under rules",
}
OWN: Final = ("SecRule", "SecAction", "SecMarker", "SecDefaultAction", "Include")
_NOT_IN_DEFAULTS: Final = frozenset({"id", "chain", "skip", "skipafter", "msg", "rev", "ver", "logdata"})
_INCLUDE_DEPTH: Final = 20

Include = Callable[[str, Place], Iterable[tuple[str, str]]]
"""Returns names and texts of the files that a pattern names, relative to the place."""


def load(paths: Sequence[Path]) -> Program:
    """Return what the files say, in order; an `Include` is relative to its file."""
    return parse(read_files(paths), read_included)


def parse(
    sources: Iterable[tuple[str, str]], include: Include | None = None, code: Iterable[CodeRule] = ()
) -> Program:
    """Return what `sources`, pairs of file name and text, say, with the rules in Python `code`.

    `include` reads the files of an `Include`. The rules in Python run before the rules that evaluate scores.
    """
    parser = _Parser(include)
    for file, text in sources:
        parser.read(file, text)
    for rule in code:
        parser.add_code(rule)
    return parser.program()


class _Parser:
    """What the lines read so far say."""

    def __init__(self, include: Include | None) -> None:
        self._include = include
        self._depth = 0
        self._settings = Settings()
        self._defaults: dict[int, tuple[Action, ...]] = {}
        self._items: list[Draft | Marker] = []
        self._changes: list[changes.Change] = []
        self._places: dict[int, Place] = {}
        self._chain: Draft | None = None
        self._readers: dict[str, Callable[[Line], None]] = {
            "secrule": self._read_rule,
            "secaction": self._read_action,
            "secmarker": self._read_marker,
            "secdefaultaction": self._read_defaults,
            "include": self._read_include,
        }

    def read(self, file: str, text: str) -> None:
        """Read one file."""
        for line in logical_lines(file, text):
            self._read_line(line)
        self._end_chain()

    def add_code(self, rule: CodeRule) -> None:
        """Add a rule in Python."""
        self._end_chain()
        draft = Draft(rule.place, rule.actions, inspect=rule.inspect)
        self._register(draft)
        position = evaluation_position(self._items, draft.phase)
        self._items[position:position] = guarded(rule, draft)

    def program(self) -> Program:
        """Return the program; raise SecLangError if the last chain has no next rule."""
        self._end_chain()
        drafts = [item for item in self._items if isinstance(item, Draft)]
        left, unused = changes.apply_changes(drafts, self._changes)
        kept = {id(draft) for draft in left}
        items = tuple(
            item if isinstance(item, Marker) else item.finished()
            for item in self._items
            if isinstance(item, Marker) or id(item) in kept
        )
        warnings = [LoadWarning(change.place, f"{change.text} concerns no rule") for change in unused]
        return Program(self._settings, items, (*warnings, *_bad_statuses(left), *_missing_markers(items)))

    def _read_line(self, line: Line) -> None:
        name = line.name.lower()
        if name in self._readers:
            self._readers[name](line)
        elif name in changes.DIRECTIVES:
            self._changes.append(changes.parse_change(line))
        elif name in settings.DIRECTIVES:
            self._settings = settings.with_directive(self._settings, line)
        elif name in _REFUSED:
            raise SecLangError(line.place, f"{line.name}: {_REFUSED[name]}")
        elif name not in _WITHOUT_EFFECT:
            raise SecLangError(line.place, unknown("directive", line.name, _KNOWN))
        elif not line.words:
            raise SecLangError(line.place, f"{line.name} needs a value")

    def _read_rule(self, line: Line) -> None:
        if len(line.words) not in (2, 3):
            raise SecLangError(
                line.place,
                f'SecRule VARIABLES "OPERATOR" "ACTIONS": expected 2 or 3 arguments, found {len(line.words)}',
            )
        targets = parse_targets(line.words[0], line.place)
        operator = parse_operator(line.words[1], line.place)
        actions = parse_actions(line.words[2], line.place) if line.words[2:] else ()
        self._add(Draft(line.place, actions, targets, operator))

    def _read_action(self, line: Line) -> None:
        self._add(Draft(line.place, parse_actions(_only_word(line), line.place)))

    def _add(self, draft: Draft) -> None:
        if self._chain:
            check_chained(draft)
            self._chain.chained.append(draft)
        else:
            self._add_first(draft)
        starter = self._chain or draft
        self._chain = starter if draft.has("chain") else None

    def _add_first(self, draft: Draft) -> None:
        self._register(draft)
        draft.defaults = self._defaults.get(draft.phase, ())
        self._items.append(draft)

    def _register(self, draft: Draft) -> None:
        number = draft.id
        if not number:
            raise SecLangError(draft.place, "the rule has no id; add id:NUMBER to its actions")
        if number in self._places:
            raise SecLangError(draft.place, f"the id {number} is already used at {self._places[number]}")
        self._places[number] = draft.place

    def _end_chain(self) -> None:
        if self._chain:
            raise SecLangError(
                self._chain.place, f"rule {self._chain.id} has the action chain, and no rule follows it"
            )

    def _read_marker(self, line: Line) -> None:
        self._end_chain()
        self._items.append(Marker(line.place, _only_word(line)))

    def _read_defaults(self, line: Line) -> None:
        draft = Draft(line.place, parse_actions(_only_word(line), line.place))
        for action in draft.actions:
            if action.name in _NOT_IN_DEFAULTS or action.name == "block":
                raise SecLangError(line.place, f'SecDefaultAction may not contain "{action.name}"')
        if not any(action.name in DISRUPTIVE for action in draft.actions):
            raise SecLangError(line.place, "SecDefaultAction needs a disruptive action such as pass or deny")
        self._defaults[draft.phase] = tuple(action for action in draft.actions if action.name != "phase")

    def _read_include(self, line: Line) -> None:
        if self._include is None:
            raise SecLangError(line.place, "Include is not possible here")
        if self._depth >= _INCLUDE_DEPTH:
            raise SecLangError(line.place, f"files include each other more than {_INCLUDE_DEPTH} deep")
        self._depth += 1
        for file, text in self._include(_only_word(line), line.place):
            self.read(file, text)
        self._depth -= 1


def _only_word(line: Line) -> str:
    if len(line.words) != 1:
        raise SecLangError(line.place, f"{line.name} needs one argument, found {len(line.words)}")
    return line.words[0]


def _bad_statuses(drafts: Iterable[Draft]) -> Iterator[LoadWarning]:
    for draft in drafts:
        value = bad_status(draft)
        if value is not None:
            yield LoadWarning(
                draft.place, f"status:{value} of rule {draft.id} is no status; {DENIED} is sent instead"
            )


def _missing_markers(items: Sequence[Rule | Marker]) -> Iterator[LoadWarning]:
    """Yield a warning for each `skipAfter` that leads nowhere: it skips all later rules of its phase."""
    later: set[str] = set()
    warnings = []
    for item in reversed(items):
        if isinstance(item, Marker):
            later.add(item.name)
            continue
        for name in _skips(item):
            if name not in later:
                problem = (
                    f'no SecMarker "{name}" follows rule {item.id}, so it skips all later rules of its phase'
                )
                warnings.append(LoadWarning(item.place, problem))
        later.add(str(item.id))
    yield from reversed(warnings)


def _skips(rule: Rule) -> Iterator[str]:
    link: Rule | None = rule
    while link:
        yield from (action.value for action in link.actions if action.name == "skipafter")
        link = link.chain


_WITHOUT_EFFECT: Final = frozenset(name.lower() for name in settings.WITHOUT_EFFECT)
_KNOWN: Final = (*OWN, *settings.NAMES, *changes.NAMES, *settings.WITHOUT_EFFECT)
