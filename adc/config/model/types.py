"""The types of values: allowed input, error, and JSON Schema."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from adc.config import units
from adc.config.units import quote
from adc.http.patterns import Pattern
from adc.http.upgrade import NEVER

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
"""`token` of RFC 9110 section 5.6.2."""


@dataclass(frozen=True, eq=False)
class Value:
    """Annotation of a field whose text `parse` converts to a value; `parse` raises `ValueError`."""

    parse: Callable[[Any], Any]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(self.schema)


def _between(
    parse: Callable[[Any], Any], low: str | int | float, high: str | int | float
) -> Callable[[Any], Any]:
    lowest, highest = parse(low), parse(high)

    def check(value: Any) -> Any:
        parsed = parse(value)
        if not lowest <= parsed <= highest:
            raise ValueError(f"{quote(value)} is out of range; allowed: {low} to {high}")
        return parsed

    return check


def duration(low: str, high: str) -> Value:
    """Return the annotation of a duration: seconds as float, written `500ms`, `30s`, `10m`, `1h`, `7d`."""
    schema = _unit_schema("duration", units.DURATION_WORDS, r"[0-9]+(\.[0-9]+)? ?(ms|s|m|h|d)", low, high)
    return Value(_between(units.parse_duration, low, high), schema)


def byte_size(low: str, high: str) -> Value:
    """Return the annotation of a size: bytes as int, written `64KB`, `1GB`."""
    schema = _unit_schema("size", units.SIZE_WORDS, r"[0-9]+(\.[0-9]+)? ?([kKmMgGtT]?[bB])", low, high)
    return Value(_between(units.parse_size, low, high), schema)


def share(low: str = "0%", high: str = "100%") -> Value:
    """Return the annotation of a share: a fraction of 1 as float, written `20%`."""
    schema = _unit_schema("share", units.SHARE_WORDS, r"[0-9]+(\.[0-9]+)? ?%", low, high)
    return Value(_between(units.parse_share, low, high), schema)


UNIT, RANGE = "x-unit", "x-range"
"""Unit and range of a value in pydantic's JSON Schema, from which `adc.config.schema` makes text."""


def _unit_schema(unit: str, words: str, pattern: str, low: str, high: str) -> dict[str, Any]:
    described = f"{words[0].upper()}{words[1:]}; from {low} to {high}."
    texts = {"type": "string", "pattern": f"^({pattern}|0)$|\\$\\{{"}
    return {"anyOf": [texts, {"const": 0}], "description": described, UNIT: unit, RANGE: f"{low} to {high}"}


def whole(low: int, high: int) -> Value:
    """Return the annotation of a whole number."""
    schema = {"anyOf": [{"type": "integer", "minimum": low, "maximum": high}, EXPANSION]}
    return Value(_between(_whole, low, high), schema)


def number(low: float, high: float) -> Value:
    """Return the annotation of a number, whole or with a fraction."""
    schema = {"anyOf": [{"type": "number", "minimum": low, "maximum": high}, EXPANSION]}
    return Value(_between(_number, low, high), schema)


EXPANSION: dict[str, Any] = {"type": "string", "pattern": r"\$\{"}
"""JSON Schema of a text that an environment variable will fill."""


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{quote(value)} is not a whole number")


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"{quote(value)} is not a number")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        raise ValueError(f"{quote(value)} is not text here; put it in quotes to mean the text")
    raise ValueError(f"{quote(value)} is not text")


def text_of(pattern: str, what: str) -> Value:
    """Return text that `pattern` matches completely; `what` names it in the error."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if compiled.fullmatch(_text(value)) is None:
            raise ValueError(f"{quote(value)} is not {what}")
        return str(value)

    return Value(check, {"type": "string", "description": f"{what[0].upper()}{what[1:]}."})


def one_of(*allowed: str) -> Value:
    """Return the annotation of one of a few words."""
    return among(allowed)


def among(allowed: Collection[str]) -> Value:
    """Return the annotation of one of the words in `allowed`, such as the names in a registry."""

    def check(value: Any) -> str:
        if value not in allowed or not isinstance(value, str):
            raise ValueError(f"{quote(value)} is not one of: {', '.join(allowed)}")
        return value

    return Value(check, {"anyOf": [{"enum": list(allowed)}, EXPANSION]})


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"{quote(value)} is not one of: true, false")


def network_of(value: Any) -> Network:
    """Return the network or address written in `value`. Raises ValueError."""
    text = _text(value)
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        hint = "has host bits set" if "host bits" in str(error) else "is not an address or network"
        example = str(ipaddress.ip_network(text, strict=False)) if "host bits" in str(error) else "10.0.0.0/8"
        raise ValueError(f"{quote(value)} {hint}; write it as {example}") from None


def is_regex(pattern: str) -> bool:
    """True if `pattern` compiles."""
    return _regex_error(pattern) is None


def _regex(value: Any) -> str:
    pattern = _text(value)
    error = _regex_error(pattern)
    if error is not None:
        raise ValueError(f"{quote(value)} is not a regular expression: {error}")
    return pattern


def _regex_error(pattern: str) -> str | None:
    """Return why `pattern` cannot be used."""
    try:
        Pattern(pattern)
    except ValueError as error:
        return " ".join(str(error).split())
    return None


def _protocol(value: Any) -> str:
    text = _text(value)
    name, slash, version = text.partition("/")
    if not TOKEN.fullmatch(name) or (slash and not TOKEN.fullmatch(version)):
        raise ValueError(
            f"{quote(value)} is not a protocol; write a name or name/version: websocket, SPDY/3.1"
        )
    if name.lower().encode() in NEVER:
        raise ValueError(
            f"{quote(value)} carries requests past the routes; allowed: protocols other than HTTP and TLS"
        )
    return text


def _field_value(value: Any) -> str:
    text = _text(value)
    if any(c in "\r\n\0" or ord(c) > 255 for c in text) or text != text.strip(" \t"):
        raise ValueError(
            f"{quote(value)} is not a field value: no line breaks, NUL, outer spaces or other than Latin-1"
        )
    return text


def absolute_path(value: Any, info: ValidationInfo) -> str:
    """Return an absolute path; a relative one starts at the folder of the configuration file."""
    text = _text(value)
    if not text or "\0" in text or len(text) > 4096:
        raise ValueError(f"{quote(value)} is not a path")
    base = (info.context or {}).get("folder", "")
    return str(Path(base, text).absolute()) if base else text


def listed(value: Any) -> Any:
    """Return a list; a single value stands for a list of one."""
    return value if isinstance(value, list | tuple) else [value]


class _Listed:
    """Annotation of a list for which a single item may be written."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(listed, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        array = handler(schema)
        return {"anyOf": [array["items"], array]}


class _Off:
    """Annotation of an optional part that `false` turns off."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_none_if_off, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"const": False}]}


def _none_if_off(value: Any) -> Any:
    return None if value is False else value


LISTED = _Listed()
OFF = _Off()

Flag = Annotated[bool, Value(_flag, {"anyOf": [{"type": "boolean"}, EXPANSION]})]
Text = Annotated[str, Value(_text, {"type": "string"})]
Name = Annotated[
    str, text_of(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,127}", "a name: letters, digits, _ - and ., at most 128")
]
FieldName = Annotated[
    str, text_of(TOKEN.pattern, "a field name: letters, digits and - mostly, no spaces or colons")
]
FieldValue = Annotated[str, Value(_field_value, {"type": "string"})]
Method = Annotated[
    str,
    text_of(r"[!#$%&'*+.^_`|~0-9A-Za-z\-]{1,64}", "a method: a word of at most 64 characters, such as GET"),
]
Cidr = Annotated[
    Network, Value(network_of, {"type": "string", "description": "An address or network (CIDR)."})
]
Regex = Annotated[
    str,
    Value(_regex, {"type": "string", "format": "regex", "description": "A regular expression (RE2 syntax)."}),
]
FilePath = Annotated[str, PlainValidator(absolute_path), WithJsonSchema({"type": "string"})]
Hostname = Annotated[str, text_of(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,252})", "a host name")]
Url = Annotated[str, text_of(r"https?://[^\s/]+(?:/\S*)?", "an http:// or https:// address")]
Protocol = Annotated[
    str, Value(_protocol, {"type": "string", "description": "A protocol: name or name/version."})
]
CookieName = Annotated[str, text_of(TOKEN.pattern, "a cookie name")]
Networks = Annotated[tuple[Cidr, ...], LISTED]
FieldNames = Annotated[tuple[FieldName, ...], LISTED]
Names = Annotated[tuple[Name, ...], LISTED]
Texts = Annotated[tuple[Text, ...], LISTED]
Protocols = Annotated[tuple[Protocol, ...], LISTED]
FilePaths = Annotated[tuple[FilePath, ...], LISTED]
