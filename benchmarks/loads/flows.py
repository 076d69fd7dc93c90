"""Loads of the L4 rows, which are programs of ours on the core of the load."""

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
class Stream:
    """`down` connections that the member fills and `up` connections that the client fills, all at once."""

    down: int = 4
    up: int = 4
    fresh: bool = False

    def warm_up(self, peer: Running) -> None:
        """Run for a second. Raises LoadError."""
        self._run(peer, 1)

    def measure(self, peer: Running, seconds: int) -> Figures:
        """Run once and return CPU per MB and MB per second. Raises LoadError, StartError."""
        before = peer.processes.usage()
        figures = figures_of(self._run(peer, seconds), peer.processes.usage().since(before))
        return {key: figures[key] for key in ("cpu_us_per_mb", "mb_per_s", "busy", "failed")}

    def _run(self, peer: Running, seconds: int) -> Outcome:
        return _run("stream_client", peer.site.port, seconds, self.down, self.up)


@dataclass(frozen=True)
class Datagrams:
    """Requests of `ports` client ports in turn."""

    ports: int = 256
    fresh: bool = False

    def warm_up(self, peer: Running) -> None:
        """Run for a second. Raises LoadError."""
        _run("datagram_client", peer.site.port, 1, self.ports)

    def measure(self, peer: Running, seconds: int) -> Figures:
        """Run once. Raises LoadError, StartError."""
        before = peer.processes.usage()
        outcome = _run("datagram_client", peer.site.port, seconds, self.ports)
        return figures_of(outcome, peer.processes.usage().since(before))


@dataclass(frozen=True)
class Mail:
    """Messages of 10 KB over `connections`, which are replaced after `messages` each."""

    connections: int = 8
    messages: int = 1
    fresh: bool = False

    def warm_up(self, peer: Running) -> None:
        """Run for a second. Raises LoadError."""
        _run("mail_client", peer.site.port, 1, self.connections, self.messages)

    def measure(self, peer: Running, seconds: int) -> Figures:
        """Run once. Raises LoadError, StartError."""
        before = peer.processes.usage()
        outcome = _run("mail_client", peer.site.port, seconds, self.connections, self.messages)
        return figures_of(outcome, peer.processes.usage().since(before))


def _run(program: str, *numbers: int) -> Outcome:
    """Run a client of this folder. Raises LoadError."""
    command = [sys.executable, "-m", f"benchmarks.loads.{program}", *map(str, numbers)]
    result = subprocess.run(
        on_core(LOAD_CORE, command), cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )
    return parse_outcome(result.stdout + result.stderr)
