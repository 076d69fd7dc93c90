"""wrk with one of the Lua scripts beside this file."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cores import LOAD_CORE, on_core
from benchmarks.figures import Figures
from benchmarks.loads.outcome import Outcome, figures_of, parse_outcome
from benchmarks.running import Running

SCRIPTS = Path(__file__).parent


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
