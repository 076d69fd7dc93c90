"""Rule files ready to run transactions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adc_plugins.waf.bodies.parsed import Limits
from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.collect.variables import Variables
from adc_plugins.waf.engine.compile import compile_rules
from adc_plugins.waf.engine.folding import fold
from adc_plugins.waf.engine.kept_prefilters import KeptPrefilters
from adc_plugins.waf.engine.limits import EngineLimits
from adc_plugins.waf.engine.persistent import NothingKept, Persistent
from adc_plugins.waf.engine.plan import Plan
from adc_plugins.waf.engine.state import DETECT, OFF, ON, State
from adc_plugins.waf.engine.transaction import Transaction
from adc_plugins.waf.regular_file import read_regular
from adc_plugins.waf.seclang.include import read_included
from adc_plugins.waf.seclang.model import CodeRule, Place, Program, SecLangError, Settings
from adc_plugins.waf.seclang.parse import parse

_ENGINES: Final = {"on": ON, "off": OFF, "detectiononly": DETECT}
_NOTHING_KEPT: Final = NothingKept()


@dataclass(frozen=True, slots=True)
class RulesetOptions:
    """`engine` (on, off, detect) replaces what SecRuleEngine says, unless it is empty."""

    engine: str = ""
    limits: EngineLimits = field(default_factory=EngineLimits)


DEFAULT_OPTIONS: Final = RulesetOptions()


def read_data_file(place: Place, name: str) -> bytes:
    """Return the content of the file `name`, relative to the file of the rule."""
    try:
        return read_regular(Path(place.file).parent / name)
    except OSError as error:
        raise SecLangError(place, f'cannot read "{name}": {error.strerror}') from error


class Ruleset:
    """Compiled rules; thread-safe and without state of transactions."""

    def __init__(
        self, program: Program, options: RulesetOptions = DEFAULT_OPTIONS, cache: Path | None = None
    ) -> None:
        self.program = program
        self._options = options
        self._engine = options.engine or _ENGINES[program.settings.engine]
        self._limits = body_limits(program.settings)
        phases = compile_rules(program, read_data_file)
        folded = fold(phases)
        self._tx = folded.tx
        prefilters = KeptPrefilters(
            (link for rules in phases for rule in rules for link in rule.links), cache
        )
        self._plan = Plan(folded.phases, folded.alive, prefilters.of, cache)
        prefilters.keep()

    @classmethod
    def load(
        cls,
        sources: Iterable[tuple[str, str]],
        options: RulesetOptions = DEFAULT_OPTIONS,
        cache: Path | None = None,
        code: Iterable[CodeRule] = (),
    ) -> Ruleset:
        """Compile `sources`, pairs of file name and text, with rules in Python; `cache` is a folder for databases."""
        return cls(parse(sources, read_included, code), options, cache)

    def transaction(self, facts: RequestFacts, persistent: Persistent = _NOTHING_KEPT) -> Transaction:
        """Return a transaction for the request."""
        settings = self.program.settings
        state = State(
            facts,
            Variables(facts, self._limits),
            persistent,
            dict(self._tx),
            self._engine,
            self._options.limits,
            settings.collection_timeout,
        )
        return Transaction(settings, state, self._plan.run)


def body_limits(settings: Settings) -> Limits:
    """Return the bounds of the body processors that the directives set."""
    return Limits(
        argument_separator=settings.argument_separator.encode(),
        arguments=settings.arguments_limit,
        json_depth=settings.request_body_json_depth,
        no_files_bytes=settings.request_body_no_files_limit,
    )
