"""From the start of the process to its first 200."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.figures import Figures
from benchmarks.running import Running


@dataclass(frozen=True)
class Start:
    """Reads what the runner saw while it started the peer."""

    fresh: bool = True

    def warm_up(self, peer: Running) -> None:
        """Nothing: the start is part of what is measured."""

    def measure(self, peer: Running, seconds: int) -> Figures:
        """The time to the first answer, and the memory the peer has then; `seconds` is not used."""
        return {"start_s": peer.started_in, "rss_mb": peer.processes.usage().rss / 2**20}
