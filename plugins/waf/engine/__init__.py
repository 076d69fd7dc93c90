"""Evaluation of rules: `Ruleset.load(...)`, `ruleset.transaction(facts)`, and the phases of a transaction."""

from adc_plugins.waf.engine.limits import EngineLimits
from adc_plugins.waf.engine.persistent import NothingKept, Persistent
from adc_plugins.waf.engine.results import Intervention, RuleMatch, Scores
from adc_plugins.waf.engine.ruleset import Ruleset, RulesetOptions
from adc_plugins.waf.engine.transaction import Transaction

__all__ = [
    "EngineLimits",
    "Intervention",
    "NothingKept",
    "Persistent",
    "RuleMatch",
    "Ruleset",
    "RulesetOptions",
    "Scores",
    "Transaction",
]
