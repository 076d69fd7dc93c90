"""Schemas of a document as JSON Schema 2020-12, for one direction of messages.

OpenAPI 3.0 has a dialect of its own (`nullable`, boolean `exclusiveMinimum`). In either version a property that is
`readOnly` need not be in a request, and one that is `writeOnly` not in a response, although it is required.
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote, urldefrag

import jsonschema_rs
from adc_plugins.documents.json.schema import JsonSchema, pattern_options
from adc_plugins.documents.openapi.document import NAMED, BadDocument, Document, Node, holds_data

Direction = Literal["request", "response"]

_OTHER_WAY = {"request": "readOnly", "response": "writeOnly"}
_MASK = "the value"


class Schemas:
    """Compiles schemas of a document for one direction."""

    def __init__(self, document: Document, direction: Direction, formats: bool) -> None:
        self._document = document
        self._absent = _OTHER_WAY[direction]
        self._formats = formats
        files = [(uri, self._converted(value, uri)) for uri, value in document.files.items()]
        self._registry = jsonschema_rs.Registry(files, draft=jsonschema_rs.Draft202012)

    def compile(self, node: Node) -> JsonSchema:
        """Return the schema at `node`. Raises BadDocument."""
        file, pointer = urldefrag(node.uri)
        reference = f"{file}#{quote(pointer, safe='/~')}"
        try:
            made = jsonschema_rs.Draft202012Validator(
                {"$ref": reference},
                validate_formats=self._formats,
                registry=self._registry,
                retriever=_nothing,
                mask=_MASK,
                pattern_options=pattern_options(),
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            reason = getattr(error, "message", str(error)).replace("\n", " ")
            raise BadDocument(f"{self._document.where(node)}: {reason}") from None
        return JsonSchema(made)

    def _converted(self, value: Any, file: str, names: bool = False) -> Any:
        """Return a part of a document with its schemas converted; `names`: the keys of the mapping are free names."""
        if isinstance(value, list):
            return [self._converted(each, file) for each in value]
        if not isinstance(value, dict):
            return value
        made = {
            key: each if holds_data(key, names) else self._converted(each, file, key in NAMED and not names)
            for key, each in value.items()
        }
        if names:
            return made
        if isinstance(made.get("required"), list):
            made["required"] = [name for name in made["required"] if not self._is_absent(value, name, file)]
        return _from_3_0(made) if self._document.is_3_0 else made

    def _is_absent(self, schema: dict[str, Any], name: Any, file: str) -> bool:
        """True if messages of this direction need not have a property."""
        properties = schema.get("properties")
        declared = properties.get(name) if isinstance(properties, dict) else None
        if not isinstance(declared, dict):
            return False
        found = self._document.resolve(Node(declared, f"{file}#")).mapping
        return True in (declared.get(self._absent), found.get(self._absent))


def _nothing(uri: str) -> Any:
    raise ValueError("only local files are read")


def _from_3_0(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of OpenAPI 3.0 in the words of JSON Schema."""
    if isinstance(schema.get("$ref"), str):
        return {"$ref": schema["$ref"]}  # what stands beside a reference is ignored
    made = dict(schema)
    for bound in ("Minimum", "Maximum"):
        exclusive, inclusive = f"exclusive{bound}", bound.lower()
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and inclusive in made:
            made[exclusive] = made.pop(inclusive)
    if made.pop("nullable", False) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    if made.get("type") == "string" and made.get("format") == "binary":
        made.pop("format")
    return made
