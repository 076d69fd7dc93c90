"""State that a binary passes to its successor, beside its sockets."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from adc.runtime.operations.convert import from_json, to_json
from adc.runtime.operations.health import Report


@dataclass(frozen=True, slots=True)
class Handover:
    """The decisions of operators about members (pool, member, admin state), and the health that checks found."""

    decisions: tuple[tuple[str, str, str], ...] = ()
    health: tuple[Report, ...] = ()

    def write(self) -> int:
        """Return a descriptor that `read` understands; the caller closes it. Raises OSError."""
        descriptor = os.memfd_create("adc-handover")
        with open(descriptor, "w", closefd=False) as file:
            json.dump(to_json({"decisions": self.decisions, "health": self.health}), file)
        return descriptor

    @classmethod
    def read(cls, descriptor: int) -> Handover:
        """Parse the output of `write`, of this version or another; return an empty handover if it is invalid."""
        try:
            with open(descriptor, "rb") as file:
                file.seek(0)
                content = json.load(file)
            return cls(
                tuple((str(pool), str(member), str(state)) for pool, member, state in content["decisions"]),
                tuple(from_json(Report, report) for report in content["health"]),
            )
        except (OSError, ValueError, LookupError, TypeError):
            return cls()
