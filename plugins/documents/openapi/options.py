"""Options of `openapi`."""

from __future__ import annotations

from typing import Literal

from adc_plugins.documents.json.limits import JsonLimits
from adc_plugins.documents.refusal import Answer, OnInvalid
from adc_plugins.documents.selection import On
from pydantic import Field, field_validator

from adc.plugin import FilePath, Options, Size

Unknown = Literal["reject", "pass"]


class OpenApiOptions(Options):
    """Which document messages must follow."""

    document: FilePath
    """OpenAPI 3.1 or 3.0 document, as YAML or JSON. References lead to local files only."""
    base_path: str | None = None
    """Path below which the operations are; by default those of the document's `servers`."""
    on: On = "request"
    """`request`, `response` or `both`: which messages are checked."""
    on_invalid: OnInvalid = "reject"
    """`reject`: 400 for a request (404, 405, 413, 415 where they say more), 502 for a response. `report`: the message
    passes, an event is logged, and the member gets the field `X-Validation`."""
    answer: Answer = "problem"
    """Body of a refusal: `problem` (RFC 9457, with the place of each error) or adc's error `page`."""
    unknown_path: Unknown = "reject"
    """Requests for a path that the document does not have: `reject` with 404, or `pass`."""
    unknown_method: Unknown = "reject"
    """Requests with a method that the path does not have: `reject` with 405, or `pass`."""
    unknown_query: Unknown = "pass"
    """Query parameters that the operation does not have: `reject` or `pass`."""
    formats: bool = False
    """Check `format`, such as `email` and `date-time`."""
    max_size: Size = Field(1 << 20, ge=1)
    """Bytes of content that is checked, decoded. A message is buffered up to this size."""
    max_depth: int = Field(64, ge=1, le=500)
    """Depth of JSON."""

    @field_validator("base_path")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("/"):
            raise ValueError(f"{value!r} is not a path; it begins with /")
        return value

    @property
    def limits(self) -> JsonLimits:
        """The limits for JSON."""
        return JsonLimits(size=self.max_size, depth=self.max_depth)
