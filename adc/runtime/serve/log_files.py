"""The log files that plugins of a worker write to: one open file per path, however many plugins use it."""

from __future__ import annotations

from adc.telemetry.line_log import LineLog


class LogFiles:
    """Log files by path, open while somebody uses them."""

    def __init__(self) -> None:
        self._open: dict[str, LineLog] = {}
        self._users: dict[str, int] = {}

    def borrow(self, path: str) -> LineLog:
        """Return the log at `path` until it is given back. Raises OSError."""
        log = self._open.get(path)
        if log is None:
            log = self._open[path] = LineLog(path)
        self._users[path] = self._users.get(path, 0) + 1
        return log

    def give_back(self, path: str) -> None:
        """Close the log at `path` if that was its last user."""
        self._users[path] -= 1
        if not self._users[path]:
            del self._users[path]
            self._open.pop(path).close()

    def flush(self) -> None:
        """Write what is buffered."""
        for log in self._open.values():
            log.flush()

    def reopen(self) -> None:
        """Continue in new files after a rotation. Raises OSError."""
        for log in self._open.values():
            log.reopen()

    def dropped(self) -> dict[str, int]:
        """Return the number of lost lines by path."""
        return {path: log.dropped for path, log in self._open.items()}
