"""Common behaviour of all parts of the model: frozen, no unknown keys, all errors of a mapping reported together."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, Self, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from adc.config.errors import Path
from adc.config.units import quote

Finding = tuple[Path, str]
"""A place below the present mapping, and the problem there."""


Forms = tuple[dict[str, Any], ...]


class Part(BaseModel):
    """A mapping of the configuration.

    A subclass defines its short forms in `expanded` and contradictory keys in `contradictions`. Unlike pydantic's
    "after" validators these run even if a key of the mapping is wrong, so that one run reports everything.
    """

    # Deferred: the whole configuration builds one validator for itself, not one for each of its parts.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    not_written: ClassVar[frozenset[str]] = frozenset()
    """Fields that the loader fills in, and that no file may name."""

    short_forms: ClassVar[Forms] = ()
    """JSON Schemas of the short forms of the mapping; `expanded` gives their meaning."""

    @classmethod
    def defaults(cls, **values: Any) -> Self:
        """Return a part with its defaults and `values`, unchecked: a check would build a validator at every import."""
        return cast(Self, cls.model_construct(**values))

    @classmethod
    def expanded(cls, value: Any) -> Any:
        """Return the full mapping of the short form `value`."""
        return value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        """Yield contradictions between the keys; the values may still be of any type."""
        return ()

    @classmethod
    def written_keys(cls) -> list[str]:
        """Return the keys that a file may write."""
        return [
            field.alias or name for name, field in cls.model_fields.items() if name not in cls.not_written
        ]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        shown = handler(schema)
        mapping = handler.resolve_ref_schema(shown)
        for name in cls.not_written:
            mapping["properties"].pop(name)
        if cls.short_forms:
            full = dict(mapping)
            mapping.clear()
            mapping["anyOf"] = [full, *cls.short_forms]
        return shown

    @model_validator(mode="wrap")
    @classmethod
    def _all_errors(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        value = cls.expanded(value)
        if value is None or isinstance(value, cls):
            return handler(value)
        if not isinstance(value, dict):
            message = (
                f"{quote(value)} is not a mapping (key: value). Allowed: {', '.join(cls.written_keys())}"
            )
            raise ValidationError.from_exception_data(cls.__name__, [_detail((), "adc", message)])
        findings = [*cls._unknown(value), *cls._empty(value), *cls.contradictions(value)]
        if not findings:
            return handler(value)
        known = {key: item for key, item in value.items() if item is not None and key in cls._accepted()}
        details = [_detail(place, "adc", message) for place, message in findings]
        try:
            handler(known)
        except ValidationError as error:
            reported = {place for place, _ in findings}
            details += [_again(e) for e in error.errors(include_url=False) if e["loc"] not in reported]
        raise ValidationError.from_exception_data(cls.__name__, details)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return this part: it is immutable, and thousands of routes may share their defaults."""
        return self

    @classmethod
    @cache
    def _accepted(cls) -> frozenset[str]:
        return frozenset(cls.written_keys()) | cls.not_written

    @classmethod
    def _unknown(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        accepted = cls._accepted()
        return [((key,), unknown("key", key, cls.written_keys())) for key in written if key not in accepted]

    @classmethod
    def _empty(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        empty = [key for key, item in written.items() if item is None and key in cls._accepted()]
        return [((key,), "is empty; give it a value or remove the key") for key in empty]


def unknown(kind: str, key: str, allowed: Iterable[str]) -> str:
    """Return the message for an unknown word, with the nearest known one."""
    names = list(allowed)
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    hint = f"did you mean {quote(near[0])}? " if near else ""
    return f"unknown {kind} {quote(key)}; {hint}Allowed: {', '.join(names)}"


def exactly_one(written: Mapping[str, Any], keys: Iterable[str], what: str) -> Iterable[Finding]:
    """Yield a finding unless exactly one of `keys` is written."""
    names = list(keys)
    found = [key for key in names if key in written]
    if len(found) > 1:
        yield (found[1],), f"{what} has {' and '.join(found)}; exactly one is allowed of: {', '.join(names)}"
    elif not found:
        yield (), f"{what} needs exactly one of: {', '.join(names)}"


def refusal(place: Path, value: str, build: Callable[[], object]) -> Iterable[Finding]:
    """Return the finding when `build`, which compiles `value` as the running proxy will, raises `ValueError`."""
    try:
        build()
    except ValueError as error:
        yield place, f"{quote(value)}: {error}"


def _detail(place: Path, kind: Any, message: str) -> InitErrorDetails:
    return InitErrorDetails(
        type=PydanticCustomError(kind, "{message}", {"message": message}), loc=place, input=None
    )


def _again(error: Any) -> InitErrorDetails:
    """Return the same error, to be raised once more beside others."""
    context = {"message": error["msg"]} | error.get("ctx", {})
    kind = PydanticCustomError(error["type"], "{message}", context)
    return InitErrorDetails(type=kind, loc=error["loc"], input=error["input"])
