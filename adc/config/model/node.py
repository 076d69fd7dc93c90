"""What concerns the node as a whole: logs, admin, shutdown."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema

from adc.config.model.address import Address, ListenAddress
from adc.config.model.base import Forms, Part
from adc.config.model.types import LISTED, Text, absolute_path, duration, one_of

_STREAMS = {"-": "-", "stdout": "-", "stderr": "-", "off": "off"}


def _log_path(value: Any, info: ValidationInfo) -> str:
    if value is False:
        return "off"
    if isinstance(value, str) and value in _STREAMS:
        return _STREAMS[value]
    return absolute_path(value, info)


LogPath = Annotated[str, PlainValidator(_log_path), WithJsonSchema({"type": ["string", "boolean"]})]
"""An absolute path, `-` for the process's own stream, or `off`."""


class AccessLog(Part):
    """A line per request. A bare string is `path`; `false` is off."""

    short_forms: ClassVar[Forms] = (
        {"type": "string"},
        {"const": False},
    )

    path: LogPath = Field("-", description="A file, - or stdout, or off.")
    format: Text = Field(
        "combined", description="combined, json, or a template such as '{client} {method} {path} {status}'."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) or value is False else value


class ErrorLog(Part):
    """What went wrong and why. A bare string is `path`."""

    short_forms: ClassVar[Forms] = (
        {"type": "string"},
        {"const": False},
    )

    path: LogPath = Field("-", description="A file, - for stderr, or off.")
    level: Annotated[str, one_of("debug", "info", "warning", "error")] = Field(
        "info", description="debug, info, warning or error."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) or value is False else value


DEFAULT_BIND = (Address("127.0.0.1:9901", "127.0.0.1", 9901),)


class Admin(Part):
    """The admin API, metrics and pages. A bare string is `bind`."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    bind: Annotated[tuple[ListenAddress, ...], LISTED] = Field(
        default_factory=lambda: DEFAULT_BIND,
        min_length=1,
        description="Where to listen.",
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"bind": value} if isinstance(value, str) else value


class Shutdown(Part):
    """How the node stops."""

    grace: Annotated[float, duration("0s", "1d")] = Field(
        30.0, description="How long work in flight may take to finish."
    )
