"""The logs of a worker: opened for a configuration, kept over reloads that leave their settings alone."""

from __future__ import annotations

from typing import NamedTuple

from adc.config import Config
from adc.runtime.build.logs import open_error_log
from adc.runtime.errors import BuildError
from adc.telemetry.access_log import AccessLog
from adc.telemetry.error_log import ErrorLog


class Logs(NamedTuple):
    """The access log, None if it is off, the error log, and the settings that they were opened with."""

    access_log: AccessLog | None
    error_log: ErrorLog
    settings: object

    def flush(self) -> None:
        """Write what is buffered."""
        if self.access_log is not None:
            self.access_log.flush()
        self.error_log.flush()

    def reopen(self) -> None:
        """Continue in new files after a rotation."""
        if self.access_log is not None:
            self.access_log.reopen()
        self.error_log.reopen()


def open_logs(config: Config, in_use: Logs | None) -> Logs:
    """Return the logs in use if their settings did not change, else new ones. Raises BuildError."""
    settings = (config.access_log, config.error_log)
    if in_use is not None and in_use.settings == settings:
        return in_use
    try:
        access_log = None
        if config.access_log.path != "off":
            access_log = AccessLog(config.access_log.path, config.access_log.format)
        return Logs(access_log, open_error_log(config), settings)
    except (OSError, ValueError) as error:
        raise BuildError(f"logs: {error}") from error
