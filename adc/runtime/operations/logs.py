"""The logs of the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adc.runtime.operations.operation import NOTHING, Nothing, Operation

if TYPE_CHECKING:
    from adc.runtime.serve.view import Serving


class ReopenLogs(Operation[Nothing, Nothing]):
    """Continue in new files after a rotation."""

    name = "logs.reopen"

    def run(self, worker: Serving, request: Nothing) -> Nothing:
        worker.logs.reopen()
        worker.log_files.reopen()
        return NOTHING


REOPEN = ReopenLogs()
