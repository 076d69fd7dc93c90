"""Full TLS handshakes, a new session each, by `openssl s_time`."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

from benchmarks.cores import LOAD_CORE, on_core
from benchmarks.figures import Figures
from benchmarks.loads.outcome import LoadError
from benchmarks.running import Running

_RESULT = re.compile(r"^(\d+) connections in (\d+) real seconds", re.MULTILINE)


def parse_connections(output: str) -> int:
    """How many handshakes `openssl s_time` says it finished. Raises LoadError."""
    found = _RESULT.search(output)
    if not found:
        raise LoadError(f"openssl s_time printed no result: {output[-400:]}")
    return int(found[1])


@dataclass(frozen=True)
class Handshakes:
    """`clients` processes that connect, finish a handshake without resumption and close, over and over."""

    clients: int = 4
    fresh: bool = False

    def warm_up(self, peer: Running) -> None:
        """Nothing: the first handshakes are as the others."""

    def measure(self, peer: Running, seconds: int) -> Figures:
        """One run. Raises LoadError, StartError."""
        before = peer.processes.usage()
        running = [self._start(peer, seconds) for _ in range(self.clients)]
        count = sum(parse_connections(popen.communicate(timeout=seconds + 60)[0]) for popen in running)
        cpu = peer.processes.usage().since(before).cpu
        if not count or not cpu:
            raise LoadError("no handshake was finished")
        return {
            "cpu_us": cpu * 1e6 / count,
            "rate": count / seconds,
            "rate_per_cpu": count / cpu,
            "busy": cpu / seconds,
        }

    def _start(self, peer: Running, seconds: int) -> subprocess.Popen[str]:
        command = [
            "openssl",
            "s_time",
            "-connect",
            f"127.0.0.1:{peer.site.port}",
            "-new",
            "-time",
            str(seconds),
        ]
        return subprocess.Popen(
            on_core(LOAD_CORE, command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
