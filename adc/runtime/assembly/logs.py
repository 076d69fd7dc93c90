"""The logs that a configuration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from adc.telemetry.error_log import BURST, ErrorLog

if TYPE_CHECKING:
    from adc.config import Config
    from adc.telemetry.log_line import Level

LEVELS: Mapping[str, Level] = MappingProxyType(
    {"debug": "debug", "info": "info", "warning": "warn", "error": "error"}
)
_STREAMS = {"-": "/dev/stderr", "off": "/dev/null"}


def open_error_log(config: Config, burst: int = BURST) -> ErrorLog:
    """Return the log that `error_log` describes. Raises OSError."""
    wanted = config.error_log
    path = _STREAMS.get(wanted.path, wanted.path)
    return ErrorLog(path, wanted.format, LEVELS[wanted.level], burst=burst)
