"""Options of `json_validation`."""

from __future__ import annotations

from typing import Literal

from adc_plugins.documents.json.limits import JsonLimits
from adc_plugins.documents.refusal import Answer, OnInvalid
from adc_plugins.documents.selection import On, OtherTypes
from pydantic import Field

from adc.plugin import ContentTypes, FilePath, Options, Size

JSON_TYPES = ("application/json", "text/json", "application/*+json")
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines")


class JsonValidationOptions(Options):
    """What JSON must be like."""

    json_schema: FilePath | None = Field(None, alias="schema")
    """JSON Schema that documents must satisfy, as JSON or YAML: draft 2020-12, or the one that `$schema` names.
    References lead to local files only."""
    formats: bool = False
    """Check `format`, such as `email` and `date-time`; by the standard it is an annotation."""
    on: On = "request"
    """`request`, `response` or `both`: which messages are checked."""
    content_types: ContentTypes = Field(JSON_TYPES, validate_default=True)
    """Media types that are JSON."""
    other_types: OtherTypes = "sniff"
    """Requests of another type, or of none: `sniff` checks content that begins like an object or array, `pass` never,
    `reject` refuses the request with 415."""
    ndjson: ContentTypes | Literal[False] = Field(NDJSON_TYPES, validate_default=True)
    """Media types with a document in each line; `false` for none."""
    on_invalid: OnInvalid = "reject"
    """`reject`: 400 for a request, 502 for a response. `report`: the message passes, an event is logged, and the member
    gets the field `X-Validation`."""
    answer: Answer = "problem"
    """Body of a 400: `problem` (RFC 9457, with pointers and places) or adc's error `page`."""
    duplicate_keys: Literal["reject", "allow"] = "reject"
    """Names that are repeated in an object: parsers differ in which one counts."""
    max_size: Size = Field(1 << 20, ge=1)
    """Bytes of a document, decoded. A message is buffered up to this size."""
    max_depth: int = Field(64, ge=1, le=500)
    """Depth of nested objects and arrays."""
    max_values: int = Field(100_000, ge=1)
    """Members and elements of a document."""
    max_keys: int = Field(1000, ge=1)
    """Members of one object."""
    max_key_length: int = Field(256, ge=1)
    """Characters of a name."""
    max_string_length: Size = Field(256 << 10, ge=1)
    """Bytes of a string as written."""
    max_number_length: int = Field(64, ge=1, le=4000)
    """Characters of a number."""

    @property
    def limits(self) -> JsonLimits:
        """The limits for the parser."""
        return JsonLimits(
            self.max_size,
            self.max_depth,
            self.max_values,
            self.max_keys,
            self.max_key_length,
            self.max_string_length,
            self.max_number_length,
            self.duplicate_keys == "allow",
        )
