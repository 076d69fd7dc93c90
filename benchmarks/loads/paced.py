"""GETs at a fixed rate, by the process paced_client.py: the cost of a request when the peer is far from busy."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cores import LOAD_CORE, on_core
from benchmarks.figures import Figures
from benchmarks.loads.outcome import Outcome, figures_of, parse_outcome
from benchmarks.running import Running

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Paced:
    """`rate` requests a second over `connections`, plain HTTP only."""

    rate: int
    connections: int
    fresh: bool = False

    def warm_up(self, peer: Running) -> None:
        """Discard a short run. Raises LoadError."""
        self._run(peer, 1)

    def measure(self, peer: Running, seconds: int) -> Figures:
        """One run. Raises LoadError, StartError."""
        before = peer.processes.usage()
        outcome = self._run(peer, seconds)
        return figures_of(outcome, peer.processes.usage().since(before))

    def _run(self, peer: Running, seconds: int) -> Outcome:
        numbers = (peer.site.port, self.connections, self.rate, seconds)
        command = [sys.executable, "-m", "benchmarks.loads.paced_client", *map(str, numbers)]
        result = subprocess.run(
            on_core(LOAD_CORE, command),
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=False,
        )
        return parse_outcome(result.stdout + result.stderr)
