"""Parameters of an operation, compiled: found in a request, read by their style, checked by their schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_plus

from adc_plugins.documents.json.limits import JsonLimits
from adc_plugins.documents.json.refused import JsonRefused, pointer
from adc_plugins.documents.json.schema import JsonSchema
from adc_plugins.documents.json.text import parse
from adc_plugins.documents.openapi.document import BadDocument, Document, Node
from adc_plugins.documents.openapi.schemas import Schemas
from adc_plugins.documents.openapi.styles import Kinds, Pairs, Style, from_header, from_path, from_query
from adc_plugins.documents.refusal import Invalid

_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_NOT_PARAMETERS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that a document may not describe (section 4.8.12.1)."""
_DEPTH = 8
_LIMITS = JsonLimits(size=64 << 10)
_TYPES = frozenset({"string", "integer", "number", "boolean", "null", "array", "object"})


@dataclass(frozen=True, slots=True)
class Given:
    """Where parameters of a request are: path values, query and cookies as pairs, header fields by lower-case name."""

    path: Mapping[str, str]
    query: Pairs
    cookie: Pairs
    header: Mapping[str, str]


class Parameter:
    """One parameter."""

    __slots__ = ("_kinds", "_required", "_schema", "_style", "is_json", "name", "place")

    def __init__(self, node: Node, document: Document, schemas: Schemas, place: str, name: str) -> None:
        self.name = name
        self.place = place
        self._required = node.mapping.get("required") is True
        style = str(node.mapping.get("style", _STYLES[place]))
        explode = node.mapping.get("explode", style == "form")
        self._style = Style(style, explode is True)
        described = node.at("schema")
        content = next((each.at("schema") for _, each in node.at("content").members()), None)
        self.is_json = content is not None
        """True if the value is written as JSON."""
        described = described if content is None else content
        self._schema: JsonSchema | None = None if described.value is None else schemas.compile(described)
        self._kinds = kinds_of(described, document)

    @property
    def key(self) -> tuple[str, str]:
        """Place and name, which identify a parameter of an operation."""
        return self.place, self.name

    def takes(self, name: str) -> bool:
        """True if the query parameter `name` is this one or a part of it."""
        if "object" in self._kinds.types and not self.is_json:
            if self._style.name == "deepObject":
                return name.startswith(f"{self.name}[")
            if self._style.explode:
                return name in self._kinds.members
        return name == self.name

    def errors(self, given: Given) -> Iterator[Invalid]:
        """Yield what is wrong with the parameter of a request."""
        if self._is_repeated(given):
            yield self._invalid("the parameter is repeated", ())
            return
        try:
            value = self._json(given) if self.is_json else self._read(given)
        except JsonRefused as refused:
            yield self._invalid(refused.reason, ())
            return
        if value is None:
            if self._required and "null" not in self._kinds.types:
                yield self._invalid("the parameter is required", ())
        elif self._schema is not None:
            for error in self._schema.errors(value):
                yield self._invalid(error.message, error.path)

    def _is_repeated(self, given: Given) -> bool:
        """True if there are several values where one is meant: applications differ in which one they read."""
        if self.place not in ("query", "cookie") or ("array" in self._kinds.types and self._style.explode):
            return False
        pairs = given.query if self.place == "query" else given.cookie
        names = [name for name, _ in pairs if self.takes(name)]
        return len(names) != len(set(names))

    def _invalid(self, message: str, path: Any) -> Invalid:
        details = {"in": self.place, "name": self.name, **({"pointer": pointer(path)} if path else {})}
        return Invalid(f"{self.place} parameter {self.name}: {message}", details=details)

    def _read(self, given: Given) -> Any:
        if self.place == "path":
            text = given.path.get(self.name)
            return None if text is None else from_path(self.name, text, self._style, self._kinds)
        if self.place == "header":
            text = given.header.get(self.name.lower())
            return None if text is None else from_header(text, self._style, self._kinds)
        pairs = given.query if self.place == "query" else given.cookie
        return from_query(self.name, pairs, self._style, self._kinds)

    def _json(self, given: Given) -> Any:
        text: str | None
        if self.place == "path":
            text = given.path.get(self.name)
        elif self.place == "header":
            text = given.header.get(self.name.lower())
        else:
            pairs = given.query if self.place == "query" else given.cookie
            text = next((unquote_plus(value) for name, value in pairs if name == self.name), None)
        return (
            None
            if text is None
            else parse((unquote(text) if self.place == "path" else text).encode(), _LIMITS)
        )


def parameters_of(item: Node, operation: Node, document: Document, schemas: Schemas) -> tuple[Parameter, ...]:
    """Return the parameters of an operation, with those of its path that it does not describe itself."""
    found: dict[tuple[str, str], Parameter] = {}
    for node in (*item.at("parameters").elements(), *operation.at("parameters").elements()):
        resolved = document.resolve(node)
        place, name = resolved.mapping.get("in"), resolved.mapping.get("name")
        if place not in _STYLES or not isinstance(name, str):
            raise BadDocument(
                f"{document.where(resolved)}: a parameter needs `name`, and `in`: path, query, ..."
            )
        if place == "header" and name.lower() in _NOT_PARAMETERS:
            continue
        parameter = Parameter(resolved, document, schemas, place, name)
        found[parameter.key] = parameter
    return tuple(found.values())


def kinds_of(node: Node, document: Document) -> Kinds:
    """Return what the schema at `node` lets a value be."""
    schema = document.resolve(node)
    types = _types(schema, document)
    items = _types(schema.at("items"), document) if "array" in types else frozenset[str]()
    members = {}
    if "object" in types:
        members = {name: _types(each, document) for name, each in schema.at("properties").members()}
    return Kinds(types, items, members)


def _types(node: Node, document: Document, depth: int = 0) -> frozenset[str]:
    if depth > _DEPTH or not isinstance(node.value, dict):
        return frozenset()
    schema = document.resolve(node)
    declared = schema.mapping.get("type")
    found = (
        {declared} if isinstance(declared, str) else set(declared) if isinstance(declared, list) else set()
    )
    if schema.mapping.get("nullable") is True:
        found.add("null")
    for key in ("allOf", "anyOf", "oneOf"):
        for each in schema.at(key).elements():
            found |= _types(each, document, depth + 1)
    if not found:
        values = schema.mapping.get("enum", [schema.mapping["const"]] if "const" in schema.mapping else [])
        found = {_type_of(each) for each in values}
    return frozenset(found & _TYPES)


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {str: "string", int: "integer", float: "number", list: "array", dict: "object"}.get(
        type(value), "null"
    )
