"""Requests and replies as JSON and back, strictly: unknown, missing and mistyped fields are errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

OMITTED = {"omitted": True}
"""Metadata of a field that is left out of the JSON where it is None."""

Read = Callable[[Any, str], Any]
"""Reads a value; the text is its place, for errors."""


def to_json(value: Any) -> Any:
    """Return `value` made of JSON types."""
    if is_dataclass(value):
        pairs = ((field, getattr(value, field.name)) for field in fields(value))
        return {
            field.name: to_json(each)
            for field, each in pairs
            if each is not None or "omitted" not in field.metadata
        }
    if isinstance(value, Mapping):
        return {key: to_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(each) for each in value]
    return value


def from_json(kind: Any, value: Any, place: str = "the body") -> Any:
    """Return the `kind` that JSON `value` stands for. Raises ValueError with the place of the first error."""
    return _reader(kind)(value, place)


def from_text(kind: Any, pairs: Iterable[tuple[str, str]]) -> Any:
    """Return the dataclass `kind` that the texts of a query stand for; a name may repeat for a tuple.

    Raises ValueError.
    """
    hints = field_types(kind)
    found: dict[str, Any] = {}
    for name, text in pairs:
        if name not in hints:
            raise ValueError(_unknown("parameter", name, hints))
        if get_origin(hints[name]) is tuple:
            found[name] = (*found.get(name, ()), text)
        else:
            found[name] = _parse(_plain(hints[name]), name, text)
    return _made(kind, found, "the query")


@cache
def field_types(kind: Any) -> Mapping[str, Any]:
    """Return the types of a dataclass's fields by name."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def is_default(field: Field[Any], value: Any) -> bool:
    """True if a request need not mention that `field` has `value`."""
    return field.default is not MISSING and value == field.default


def _plain(kind: Any) -> Any:
    """Return the type that a text can have: of `X | None` it is X."""
    if get_origin(kind) in (Union, UnionType):
        return next(each for each in get_args(kind) if each is not NoneType)
    return kind


def _parse(kind: type, name: str, text: str) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"{name} is true or false")
        return text == "true"
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(f"{name} is a number") from None
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{name} is a number")
    return value


@cache
def _reader(kind: Any) -> Read:
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return lambda value, place: _read_object(kind, value, place)
    if origin in (Union, UnionType):
        inner = _reader(_plain(kind))
        return lambda value, place: None if value is None else inner(value, place)
    if origin in (list, tuple):
        item = _reader(arguments[0])
        return lambda value, place: origin(
            [item(each, f"{place}[{number}]") for number, each in enumerate(_is(list, value, place))]
        )
    if origin is dict:
        inner = _reader(arguments[1])
        return lambda value, place: {
            key: inner(each, f"{place}.{key}") for key, each in _is(dict, value, place).items()
        }
    if origin is Literal:
        return lambda value, place: _one_of(arguments, value, place)
    return lambda value, place: _is(kind, value, place)


def _one_of(allowed: tuple[str, ...], value: Any, place: str) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    raise ValueError(f"{place} is one of: {', '.join(allowed)}")


_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def _is(kind: type, value: Any, place: str) -> Any:
    if type(value) is kind or (kind is float and type(value) is int):
        return value
    raise ValueError(f"{place} is {_WORDS[kind]}")


def _read_object(kind: Any, value: Any, place: str) -> Any:
    hints = field_types(kind)
    found = {}
    for name, each in _is(dict, value, place).items():
        if name not in hints:
            raise ValueError(_unknown("field", name, hints))
        found[name] = _reader(hints[name])(each, name)
    return _made(kind, found, place)


def _made(kind: Any, found: Mapping[str, Any], place: str) -> Any:
    for field in fields(kind):
        if field.name not in found and field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{place} lacks {field.name}, {_words(field_types(kind)[field.name])}")
    return kind(**found)


def _words(kind: Any) -> str:
    """Return what a value of `kind` is, in words."""
    kind = _plain(kind)
    if get_origin(kind) is Literal:
        return f"one of: {', '.join(get_args(kind))}"
    return _WORDS.get(get_origin(kind) or kind, "a value")


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    return f"unknown {what} {name}; known: {', '.join(known) or 'none'}"
