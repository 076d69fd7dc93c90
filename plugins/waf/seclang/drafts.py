"""Rules while files are read: updates and removals change them until all is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adc_plugins.waf.seclang.model import Action, Inspect, OperatorCall, Place, Rule, SecLangError, Target
from adc_plugins.waf.seclang.names import DISRUPTIVE, PHASES, REPEATABLE

_LOGGING = ("log", "nolog")
_AUDIT_LOGGING = ("auditlog", "noauditlog")
_FIELDS = frozenset({"id", "phase", "t", "chain"})
_DEFAULT_PHASE = 2
_STATUSES = range(200, 600)
DENIED: Final = "403"
"""The status in place of one that no response can have."""


@dataclass(slots=True)
class Draft:
    """A rule as written, with the default actions of its phase at the place where it is written."""

    place: Place
    actions: tuple[Action, ...]
    targets: tuple[Target, ...] = ()
    operator: OperatorCall | None = None
    defaults: tuple[Action, ...] = ()
    inspect: Inspect | None = None
    chained: list[Draft] = field(default_factory=list)
    id: int = field(init=False)
    """The rule's id, 0 without one."""
    phase: int = field(init=False)
    """The rule's phase, 2 unless the rule says another."""

    def __post_init__(self) -> None:
        self.id = int(self.last("id") or 0)
        phase = self.last("phase")
        self.phase = PHASES[phase.lower()] if phase else _DEFAULT_PHASE

    def last(self, name: str) -> str | None:
        """Return the value of the last action `name`, None without one."""
        return next((action.value for action in reversed(self.actions) if action.name == name), None)

    def has(self, name: str) -> bool:
        """Return True if the rule has an action `name`."""
        return any(action.name == name for action in self.actions)

    @property
    def tags(self) -> tuple[str, ...]:
        """The values of its `tag` actions."""
        return tuple(action.value for action in self.actions if action.name == "tag")

    def finished(self) -> Rule:
        """Return the rule, with those chained to it."""
        chain: Rule | None = None
        for draft in reversed(self.chained):
            inherited = [action for action in self.defaults if action.name == "t"]
            chain = draft._rule(self.phase, 0, merged(inherited, draft.actions), chain)
        return self._rule(self.phase, self.id, resolved(self.defaults, self.actions), chain)

    def _rule(self, phase: int, number: int, actions: Sequence[Action], chain: Rule | None) -> Rule:
        return Rule(
            self.place,
            number,
            phase,
            self.targets,
            self.operator,
            tuple(_usable(action) for action in actions if action.name not in _FIELDS),
            transformations(actions),
            any(action.name == "multimatch" for action in actions),
            chain,
            self.inspect,
        )


def merged(before: Sequence[Action], later: Sequence[Action]) -> tuple[Action, ...]:
    """Return both, without those of `before` that `later` replaces."""
    result = list(before)
    for action in later:
        replaced = _replaced_by(action)
        result = [item for item in result if item.name not in replaced]
        result.append(action)
    return tuple(result)


def resolved(defaults: Sequence[Action], actions: Sequence[Action]) -> tuple[Action, ...]:
    """Return the actions of a rule with those it inherits; one of them is disruptive, and none is `block`."""
    own = [action for action in merged((), actions) if action.name != "block"]
    result = merged(defaults, own)
    disruptive = any(action.name in DISRUPTIVE for action in result)
    return result if disruptive else (*result, Action("pass"))


def bad_status(draft: Draft) -> str | None:
    """Return the status of a rule if no response can have it, None otherwise."""
    value = draft.last("status")
    return None if value is None or int(value) in _STATUSES else value


def _usable(action: Action) -> Action:
    if action.name == "status" and int(action.value) not in _STATUSES:
        return Action("status", DENIED)
    return action


def _replaced_by(action: Action) -> frozenset[str]:
    if action.name in DISRUPTIVE:
        return DISRUPTIVE
    for group in (_LOGGING, _AUDIT_LOGGING):
        if action.name in group:
            return frozenset(group)
    return frozenset() if action.name in REPEATABLE else frozenset({action.name})


def transformations(actions: Iterable[Action]) -> tuple[str, ...]:
    """Return the names of the `t` actions, lower-case, from the last `t:none` on."""
    names: list[str] = []
    for action in actions:
        if action.name == "t":
            name = action.value.lower()
            names = [] if name == "none" else [*names, name]
    return tuple(names)


def check_chained(draft: Draft) -> None:
    """Raise SecLangError for actions that only the first rule of a chain may have."""
    for action in draft.actions:
        if action.name in DISRUPTIVE:
            raise SecLangError(
                draft.place, f'only the first rule of a chain may be disruptive; move "{action.name}" there'
            )


def with_targets(draft: Draft, targets: Sequence[Target], replaced: Sequence[Target]) -> None:
    """Add `targets` to the draft's, or put them in place of `replaced`."""
    kept = [target for target in draft.targets if target not in replaced]
    if replaced and len(kept) == len(draft.targets):
        return
    draft.targets = (*kept, *(target for target in targets if target not in kept))
