"""Routing: matchers, the compiled index, rewrites, redirects, splits and header edits; no I/O."""

from adc.routing.hosts import Wildcard, host_rule
from adc.routing.match import Match, Rule
from adc.routing.networks import network_rule
from adc.routing.paths import PathPrefix, path_exact, path_prefix, path_rule
from adc.routing.router import Router, Step
from adc.routing.values import Exact, Prefix, Present, Regex

__all__ = [
    "Exact",
    "Match",
    "PathPrefix",
    "Prefix",
    "Present",
    "Regex",
    "Router",
    "Rule",
    "Step",
    "Wildcard",
    "host_rule",
    "network_rule",
    "path_exact",
    "path_prefix",
    "path_rule",
]
