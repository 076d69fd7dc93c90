"""Routing: matchers, the compiled index, rewrites, redirects, splits and header edits; no I/O."""

from adc.routing.edits import HeaderEdits, header_edits
from adc.routing.hosts import HostRule, Wildcard, host_rule
from adc.routing.match import Match, Rule
from adc.routing.paths import PathPrefix, PathRule, path_exact, path_prefix, path_rule
from adc.routing.redirect import Redirect
from adc.routing.rewrite import Rewrite
from adc.routing.router import ExplainStep, Router
from adc.routing.split import Split
from adc.routing.values import Exact, Prefix, Present, Regex, ValueRule

__all__ = [
    "Exact",
    "ExplainStep",
    "HeaderEdits",
    "HostRule",
    "Match",
    "PathPrefix",
    "PathRule",
    "Prefix",
    "Present",
    "Redirect",
    "Regex",
    "Rewrite",
    "Router",
    "Rule",
    "Split",
    "ValueRule",
    "Wildcard",
    "header_edits",
    "host_rule",
    "path_exact",
    "path_prefix",
    "path_rule",
]
