"""Rules ready to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adc_plugins.waf.engine.items import Exclusion, Pair
from adc_plugins.waf.engine.macros import Text
from adc_plugins.waf.engine.state import State
from adc_plugins.waf.engine.steps import Step
from adc_plugins.waf.engine.targets import TargetList
from adc_plugins.waf.engine.transforms import TransformationChain
from adc_plugins.waf.operators import Operator
from adc_plugins.waf.seclang.model import Inspect, OperatorCall, Place, Rule

Match = tuple[bytes, ...]


@dataclass(slots=True, eq=False)
class Link:
    """One rule of a chain. Without targets (SecAction) it matches once."""

    targets: TargetList | None
    transformations: TransformationChain
    operator: Operator | None
    call: OperatorCall | None
    """The operator as written."""
    argument: Text | None
    """The operator's argument if it has macros."""
    negated: bool
    multi_match: bool
    capture: bool
    steps: tuple[Step, ...]
    removals: tuple[Sequence[int], ...]
    """Rules that the steps may leave out for the rest of the transaction, as bits by phase."""
    inspect: Inspect | None
    """What a rule in Python does in place of an operator."""
    exclusions: tuple[Exclusion, ...]
    """What a rule in Python may not match."""
    bit: int = -1
    """The bit that a value has if it can match; -1 if every value can. The plan sets it once."""

    def matcher(self, state: State) -> Callable[[bytes], Match | None]:
        """Return the function that matches a value."""
        if self.operator is None:
            return _no_match
        if self.argument is None:
            return self.operator.match
        return self.operator.for_argument(self.argument.expand(state)).match


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """The disruptive action of a rule: pass, allow, deny, drop or redirect; `scope` is what `allow` is for."""

    action: str
    status: int
    location: Text
    scope: str


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """A rule with those chained behind it. `position` counts the rules of its phase.

    `jump` is the position at which the phase goes on after a match, -1 for the next.
    """

    id: int
    place: Place
    phase: int
    position: int
    links: tuple[Link, ...]
    verdict: Verdict
    jump: int
    message: Text
    data: Text
    severity: int | None
    tags: tuple[str, ...]
    revision: str
    log: bool
    audit: bool
    source: Rule
    """The rule as parsed."""

    def values(self) -> Sequence[Pair]:
        """Return the variable RULE."""
        severity = b"" if self.severity is None else b"%d" % self.severity
        return [
            (b"id", b"%d" % self.id),
            (b"rev", self.revision.encode()),
            (b"severity", severity),
            (b"msg", self.message.constant or b""),
            (b"logdata", self.data.constant or b""),
        ]


def _no_match(_value: bytes) -> Match | None:
    return None
