"""What concerns the node as a whole: logs, admin, shutdown."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema

from adc.config.model.address import Address, ListenAddress
from adc.config.model.base import Part
from adc.config.model.types import Text, absolute_path, duration, listed, one_of

OFF, STREAM = "off", "-"
_STREAMS = {"-": STREAM, "stdout": STREAM, "stderr": STREAM, "off": OFF}


def _log_path(value: Any, info: ValidationInfo) -> str:
    if value is False:
        return OFF
    if isinstance(value, str) and value in _STREAMS:
        return _STREAMS[value]
    return absolute_path(value, info)


LogPath = Annotated[str, PlainValidator(_log_path), WithJsonSchema({"type": ["string", "boolean"]})]
"""An absolute path, `-` for the process's own stream, or `off`."""


class AccessLog(Part):
    """A line per request. A bare string is `path`; `false` is off."""

    path: LogPath = Field("-", description="A file, - or stdout, or off.")
    format: Text = Field(
        "combined", description="combined, json, or a template such as '{client} {method} {path} {status}'."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) or value is False else value


class ErrorLog(Part):
    """What went wrong and why. A bare string is `path`."""

    path: LogPath = Field("-", description="A file, - for stderr, or off.")
    level: Annotated[str, one_of("debug", "info", "warning", "error")] = Field(
        "info", description="debug, info, warning or error."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) or value is False else value


class Admin(Part):
    """The admin API, metrics and pages. A bare string is `bind`."""

    bind: Annotated[tuple[ListenAddress, ...], BeforeValidator(listed)] = Field(
        (Address("127.0.0.1:9901", "127.0.0.1", 9901),), min_length=1, description="Where to listen."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"bind": value} if isinstance(value, str) else value


class Shutdown(Part):
    """How the node stops."""

    grace: Annotated[float, duration("0s", "1d")] = Field(
        30.0, description="How long work in flight may take to finish."
    )
