"""The outcome of a load that is a process of its own: one JSON line in its output."""

from __future__ import annotations

import json
from typing import NamedTuple

from benchmarks.figures import Figures
from benchmarks.processes import Usage

MOST_FAILED = 0.01
"""The share of failed requests from which on a run counts for nothing."""


class Outcome(NamedTuple):
    """What a load counted; times in microseconds. `errors`: connections failed; `refused`: statuses over 399."""

    requests: int
    bytes: int
    microseconds: int
    p50: float
    p99: float
    errors: int
    refused: int


class LoadError(Exception):
    """The load generator did not do its work; the message says what it wrote."""


def parse_outcome(output: str) -> Outcome:
    """Return the outcome from the JSON line in the output of a load. Raises LoadError."""
    for line in output.splitlines():
        if line.startswith("{"):
            return Outcome(**json.loads(line))
    raise LoadError(f"the load printed no result: {output[-400:]}")


def figures_of(outcome: Outcome, used: Usage) -> Figures:
    """An outcome and what the peer used meanwhile. Raises LoadError when too many requests failed."""
    failed = outcome.errors + outcome.refused
    if failed > outcome.requests * MOST_FAILED or not outcome.requests:
        raise LoadError(
            f"{failed} of {outcome.requests} requests failed ({outcome.refused} with a status over 399)"
        )
    seconds = outcome.microseconds / 1e6
    return {
        "cpu_us": used.cpu * 1e6 / outcome.requests,
        "cpu_us_per_mb": used.cpu * 1e12 / outcome.bytes,
        "master_us": used.master * 1e6 / outcome.requests,
        "rate": outcome.requests / seconds,
        "mb_per_s": outcome.bytes / 1e6 / seconds,
        "p50_ms": outcome.p50 / 1000,
        "p99_ms": outcome.p99 / 1000,
        "bytes": outcome.bytes / outcome.requests,
        "busy": used.cpu / seconds,
        "failed": float(failed),
    }
