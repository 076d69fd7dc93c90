"""The access log: a line for each exchange, collected in memory and written in batches."""

from __future__ import annotations

from adc.telemetry.formats import compile_format
from adc.telemetry.line_log import DEFAULT_LIMIT, LineLog
from adc.telemetry.record import LogRecord


class AccessLog(LineLog):
    """Appends formatted records. Raises ValueError for a bad format and OSError if the file cannot be opened."""

    def __init__(self, path: str, format: str = "combined", limit: int = DEFAULT_LIMIT) -> None:
        super().__init__(path, limit)
        self._format = compile_format(format)

    def write(self, record: LogRecord) -> None:
        """Format `record` and keep its line for the next flush."""
        if self._size >= self._limit:
            self.dropped += 1
            return
        compose = self._format
        line = compose(record)
        self._lines.append(line)
        self._size += len(line)
