"""Settings of the node as a whole: logs, admin, shutdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema

from adc.config.model.address import Address, ListenAddress, is_private
from adc.config.model.base import Finding, Forms, Part, refusal
from adc.config.model.types import (
    LISTED,
    FilePath,
    Hostname,
    Text,
    absolute_path,
    duration,
    listed,
    one_of,
    text_of,
)
from adc.config.units import quote
from adc.telemetry.formats import compile_format

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
    """One line per request. A bare string is `path`; `false` is off."""

    short_forms: ClassVar[Forms] = (
        {"type": "string"},
        {"const": False},
    )

    path: LogPath = Field("-", description="A file; - or stdout for standard output; off.")
    format: Text = Field(
        "combined",
        description=(
            "combined, json, or a template such as '{client} {method} {path} {status}'. A field has at most "
            "4096 characters, escapes included; a longer one is cut and ends with ...(cut)."
        ),
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) or value is False else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        text = written.get("format")
        if isinstance(text, str):
            yield from refusal(("format",), text, lambda: compile_format(text))


class ErrorLog(Part):
    """One line per event. A bare string is `path`; `false` is off."""

    short_forms: ClassVar[Forms] = (
        {"type": "string"},
        {"const": False},
    )

    path: LogPath = Field("-", description="A file; - for standard error; off.")
    level: Annotated[str, one_of("debug", "info", "warning", "error")] = Field(
        "info", description="Least level that is written: debug, info, warning or error."
    )
    format: Annotated[Literal["text", "json"], one_of("text", "json")] = Field(
        "text",
        description=(
            "text: time, level, event and key=value fields; json: one object per line with ts, level, event and"
            " the fields."
        ),
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) or value is False else value


DEFAULT_BIND = (Address("127.0.0.1:9901", "127.0.0.1", 9901),)


class AdminTls(Part):
    """TLS of the admin server."""

    certificate: FilePath = Field(
        description="PEM file of the certificate, followed by intermediate certificates."
    )
    key: FilePath = Field(description="PEM file of its private key.")
    client_ca: FilePath | None = Field(
        None,
        description=(
            "PEM file of the authorities that sign client certificates; with it every client needs a "
            "certificate."
        ),
    )
    client_crl: FilePath | None = Field(None, description="PEM file of their revocation lists.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if "client_crl" in written and "client_ca" not in written:
            yield ("client_crl",), "has no effect without client_ca"


_NEEDS_TOKEN = (
    "can be reached by others, who could disable members: admin needs a token (token: ${ADC_ADMIN_TOKEN}), or tls with "
    "client_ca; or bind 127.0.0.1"
)


class Admin(Part):
    """The admin API, metrics and pages. A bare string is `bind`."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    bind: Annotated[tuple[ListenAddress, ...], LISTED] = Field(
        default_factory=lambda: DEFAULT_BIND,
        min_length=1,
        description=(
            "The addresses to listen on. Addresses other than loopback and unix sockets require a token, or tls"
            " with client_ca."
        ),
    )
    token: Annotated[str, text_of(r"(?:[!-~]{16,512})?", "16 to 512 printable characters without spaces")] = (
        Field(
            "",
            description=(
                "Token required in every request (`Authorization: Bearer TOKEN`, or as password in a browser), "
                "except /livez, /readyz and /healthz; empty: none."
            ),
        )
    )
    hosts: Annotated[tuple[Hostname, ...], LISTED] = Field(
        (),
        description=(
            "Further host names that the server accepts in Host; addresses, localhost and `node` are accepted "
            "anyway."
        ),
    )
    tls: AdminTls | None = Field(None, description="TLS; none by default.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"bind": value} if isinstance(value, str) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        tls = written.get("tls")
        if written.get("token") or (isinstance(tls, dict) and tls.get("client_ca")):
            return
        for place, bind in enumerate(listed(written.get("bind", ()))):
            if isinstance(bind, str) and not is_private(bind):
                yield ("bind", place), f"{quote(bind)} {_NEEDS_TOKEN}"


class Shutdown(Part):
    """Settings of the shutdown."""

    grace: Annotated[float, duration("0s", "1d")] = Field(
        30.0, description="Time for in-flight requests to finish."
    )
