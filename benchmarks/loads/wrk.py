"""wrk with one of the Lua scripts beside this file."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.cores import LOAD_CORE, on_core
from benchmarks.figures import Figures
from benchmarks.processes import Usage
from benchmarks.running import Running

SCRIPTS = Path(__file__).parent
MOST_FAILED = 0.01
"""The share of failed requests from which on a run counts for nothing."""


class Outcome(NamedTuple):
    """What wrk counted; times in microseconds. `errors`: connections failed; `refused`: statuses over 399."""

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
    """Find the JSON line that browser.lua's `done` writes into wrk's output. Raises LoadError."""
    for line in output.splitlines():
        if line.startswith("{"):
            return Outcome(**json.loads(line))
    raise LoadError(f"wrk printed no result: {output[-400:]}")


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


@dataclass(frozen=True)
class Wrk:
    """`connections` closed loops on one thread, each sending what `script` makes."""

    script: str
    connections: int = 64
    fresh: bool = False

    def warm_up(self, peer: Running) -> None:
        """A short run that nobody counts. Raises LoadError."""
        self._run(peer, 1)

    def measure(self, peer: Running, seconds: int) -> Figures:
        """One run. Raises LoadError, StartError."""
        before = peer.processes.usage()
        outcome = self._run(peer, seconds)
        return figures_of(outcome, peer.processes.usage().since(before))

    def _run(self, peer: Running, seconds: int) -> Outcome:
        features = peer.site.features
        scheme = "https" if features.tls else "http"
        command = [
            "wrk",
            "-t1",
            f"-c{self.connections}",
            f"-d{seconds}s",
            "--timeout",
            "30s",
            "-s",
            self.script,
        ]
        command += [
            f"{scheme}://127.0.0.1:{peer.site.port}/",
            "--",
            str(features.hosts),
            str(features.prefixes),
        ]
        result = subprocess.run(
            on_core(LOAD_CORE, command),
            cwd=SCRIPTS,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=False,
        )
        return parse_outcome(result.stdout + result.stderr)
