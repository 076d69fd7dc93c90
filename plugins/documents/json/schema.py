"""JSON Schema of a route, compiled by jsonschema-rs. References lead to local files only."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import jsonschema_rs
from adc_plugins.documents.files import BadFile, load
from adc_plugins.documents.json.refused import Path as JsonPath

MOST_ERRORS = 10
_MESSAGE_MOST = 300
_BACKTRACKS = 100_000
_MASK = "the value"


class BadSchema(ValueError):
    """A schema that cannot be used; the text names its place."""


class SchemaError(NamedTuple):
    """A value that a schema forbids."""

    path: JsonPath
    message: str


class JsonSchema:
    """One compiled schema."""

    __slots__ = ("_validator",)

    def __init__(self, validator: Any) -> None:
        self._validator = validator

    def errors(self, value: Any) -> list[SchemaError]:
        """Return what is wrong with a value: the first errors."""
        if self._validator.is_valid(value):
            return []
        return list(islice(self._found(value), MOST_ERRORS))

    def _found(self, value: Any) -> Iterator[SchemaError]:
        for error in self._validator.iter_errors(value):
            yield SchemaError(tuple(error.instance_path), error.message[:_MESSAGE_MOST])


def read_schema(file: Path, formats: bool) -> JsonSchema:
    """Return the schema in a JSON or YAML file; draft 2020-12 unless `$schema` names another. Raises BadSchema."""
    try:
        schema = load(file)
    except BadFile as error:
        raise BadSchema(str(error)) from None
    if not isinstance(schema, dict | bool):
        raise BadSchema(f"{file} is neither an object nor a boolean")
    return compile_schema(schema, file, formats)


def compile_schema(schema: Any, file: Path, formats: bool) -> JsonSchema:
    """Return a schema whose relative references start at `file`. Raises BadSchema."""
    try:
        made = jsonschema_rs.validator_for(
            schema,
            validate_formats=formats,
            retriever=partial(_local, schema, file),
            base_uri=file.resolve().as_uri(),
            mask=_MASK,
            pattern_options=pattern_options(),
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise BadSchema(f"{file}: {_reason(error)}") from None
    return JsonSchema(made)


def pattern_options() -> jsonschema_rs.FancyRegexOptions:
    """Return how `pattern` is matched: in linear time, or with look-around in a bounded number of steps."""
    return jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS)


def _reason(error: Any) -> str:
    path = getattr(error, "instance_path", ())
    place = "".join(f"/{key}" for key in path)
    message = getattr(error, "message", str(error)).replace("\n", " ")
    return f"{place}: {message}" if place else message


def _local(schema: Any, file: Path, uri: str) -> Any:
    """Return the document at a URI. What is below the folder of the schema's `$id` is below the folder of its file.

    Raises ValueError unless that is a local file.
    """
    own = schema.get("$id") if isinstance(schema, dict) else None
    base = own.rpartition("/")[0] + "/" if isinstance(own, str) and "://" in own else None
    if base is not None and uri.startswith(base):
        uri = urljoin(file.resolve().as_uri(), uri[len(base) :])
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise ValueError("only local files are read")
    return load(Path(unquote(parts.path)))
