"""What a binary leaves to the one that takes its place, beside its sockets."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Handover:
    """What operators decided about members (pool, member, admin state), and what checks found of their health (the
    arguments of the workers' command `health.report`)."""

    decisions: tuple[tuple[str, str, str], ...] = ()
    health: tuple[dict[str, Any], ...] = ()

    def write(self) -> int:
        """A descriptor that `read` understands; the caller closes it. Raises OSError."""
        descriptor = os.memfd_create("adc-handover")
        with open(descriptor, "w", closefd=False) as file:
            json.dump({"decisions": self.decisions, "health": self.health}, file)
        return descriptor

    @classmethod
    def read(cls, descriptor: int) -> Handover:
        """Parse the output of `write`, of this version or another; return an empty handover if it is invalid."""
        try:
            with open(descriptor, "rb") as file:
                file.seek(0)
                told = json.load(file)
            return cls(
                tuple((str(pool), str(member), str(state)) for pool, member, state in told["decisions"]),
                tuple(
                    {
                        "pool": str(report["pool"]),
                        "member": str(report["member"]),
                        "up": bool(report["up"]),
                        "reason": str(report["reason"]),
                    }
                    for report in told["health"]
                ),
            )
        except (OSError, ValueError, LookupError, TypeError):
            return cls()
