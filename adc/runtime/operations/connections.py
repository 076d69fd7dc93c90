"""The open connections of the listeners."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from adc.runtime.operations.operation import Nothing, Operation

if TYPE_CHECKING:
    from adc.runtime.serve.view import Serving


class CountConnections(Operation[Nothing, dict[str, int]]):
    """Count the open connections of each listener."""

    name = "connections"
    reply = dict[str, int]

    def run(self, worker: Serving, request: Nothing) -> dict[str, int]:
        return {name: listener.open_connections for name, listener in worker.listeners.items()}

    def merge(self, replies: Mapping[int, dict[str, int]]) -> dict[str, int]:
        total: Counter[str] = Counter()
        for counts in replies.values():
            total.update(counts)
        return dict(total)


COUNT = CountConnections()
