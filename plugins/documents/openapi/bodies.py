"""Content of requests and responses, checked by its media type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from adc_plugins.documents.content import ContentType
from adc_plugins.documents.json.limits import JsonLimits
from adc_plugins.documents.json.places import place_of
from adc_plugins.documents.json.refusals import invalid
from adc_plugins.documents.json.refused import JsonRefused, pointer
from adc_plugins.documents.json.schema import JsonSchema
from adc_plugins.documents.json.text import parse
from adc_plugins.documents.openapi.document import Document, Node
from adc_plugins.documents.openapi.parameters import kinds_of
from adc_plugins.documents.openapi.schemas import Schemas
from adc_plugins.documents.openapi.styles import Kinds, Style, from_query, query_pairs
from adc_plugins.documents.refusal import Invalid

_FORM = "application/x-www-form-urlencoded"
_EXPLODED = Style("form", True)
_MOST_FIELDS = 1000
_ANY = Kinds(frozenset())


class Described(NamedTuple):
    """One media type of a body: its schema, and what it lets members be."""

    schema: JsonSchema | None
    members: dict[str, Kinds]


class Content:
    """The media types of a body, as a document describes them; without any, content is not checked."""

    def __init__(self, node: Node, document: Document, schemas: Schemas) -> None:
        self._types: dict[str, Described] = {}
        for name, described in node.members():
            schema = described.at("schema")
            members = {}
            if name.lower().startswith(_FORM):
                properties = document.resolve(schema).at("properties")
                members = {each: kinds_of(below, document) for each, below in properties.members()}
            compiled = None if schema.value is None else schemas.compile(schema)
            self._types[name.partition(";")[0].strip().lower()] = Described(compiled, members)

    def __bool__(self) -> bool:
        return bool(self._types)

    def find(self, media_type: str) -> Described | None:
        """Return what is described for a media type: itself, its range, or all."""
        kind = media_type.partition("/")[0]
        types = self._types
        return types.get(media_type) or types.get(f"{kind}/*") or types.get("*/*")

    def is_checked(self, kind: ContentType) -> bool:
        """True if content of this type has to be read: it is of a type that is not allowed, or has a schema."""
        found = self.find(kind.media_type)
        return bool(self._types) and (
            found is None or (found.schema is not None and _reader(kind.media_type) != "")
        )

    def errors(
        self, content: bytes, kind: ContentType, limits: JsonLimits, status: int = 415
    ) -> list[Invalid]:
        """Return what is wrong with content."""
        if not self._types:
            return []
        found = self.find(kind.media_type)
        if found is None:
            allowed = ", ".join(self._types)
            reason = f"the content type is not one of {allowed}"
            return [Invalid(reason, status=status, details={"in": "body"})]
        if found.schema is None:
            return []
        match _reader(kind.media_type):
            case "json":
                return _json(content, found.schema, limits)
            case "form":
                return _form(content, found, found.schema)
            case "text":
                return _text(content, kind, found.schema)
        return []


def _reader(media_type: str) -> str:
    if media_type.endswith(("/json", "+json")):
        return "json"
    if media_type == _FORM:
        return "form"
    return "text" if media_type == "text/plain" else ""


def _json(content: bytes, schema: JsonSchema, limits: JsonLimits) -> list[Invalid]:
    try:
        value = parse(content, limits)
    except JsonRefused as refused:
        found = invalid(content, refused)
        return [replace(found, details={"in": "body", **found.details})]
    errors = schema.errors(value)
    if not errors:
        return []
    text = content.decode()
    return [
        Invalid(
            error.message,
            *place_of(text, error.path),
            details={"in": "body", "pointer": pointer(error.path)},
        )
        for error in errors
    ]


def _form(content: bytes, found: Described, schema: JsonSchema) -> list[Invalid]:
    pairs = query_pairs(content.decode("latin-1"))
    if len(pairs) > _MOST_FIELDS:
        return [Invalid(f"the form has more than {_MOST_FIELDS} fields", details={"in": "body"})]
    value: dict[str, Any] = {}
    for name, _ in pairs:
        kinds = found.members.get(name, _ANY)
        if name not in value:
            value[name] = from_query(name, pairs, _EXPLODED, kinds)
        elif "array" not in kinds.types:
            return [
                Invalid("a field of the form is repeated", details={"in": "body", "pointer": pointer([name])})
            ]
    return _plain(schema, value)


def _text(content: bytes, kind: ContentType, schema: JsonSchema) -> list[Invalid]:
    try:
        return _plain(schema, content.decode(kind.charset or "utf-8"))
    except (LookupError, UnicodeDecodeError):
        return [Invalid("the text is not in its charset", details={"in": "body"})]


def _plain(schema: JsonSchema, value: Any) -> list[Invalid]:
    return [
        Invalid(error.message, details={"in": "body", "pointer": pointer(error.path)})
        for error in schema.errors(value)
    ]
