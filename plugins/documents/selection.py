"""Which messages a validator checks, by their content types."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from adc.plugin import ContentTypes, Headers

On = Literal["request", "response", "both"]
OtherTypes = Literal["sniff", "pass", "reject"]


UNUSED = {
    "request": frozenset({"response_head", "response_body"}),
    "response": frozenset({"request_body"}),
    "both": frozenset[str](),
}
"""Phases without use for each `on`."""


class Selected(Enum):
    """What to do with a message's content."""

    CHECK = "check"
    SNIFF = "sniff"
    """Check it if it begins like the format."""
    PASS = "pass"
    REJECT = "reject"


class Selection:
    """`content_types` are those of the format, `other_types` is for requests of another type or of none. Unless it is
    `pass`, requests of the types `hiding` are rejected: they have a document inside, which cannot be checked."""

    __slots__ = ("_content_types", "_hiding", "_other")

    def __init__(self, content_types: ContentTypes, other_types: OtherTypes, *hiding: bytes) -> None:
        self._content_types = content_types
        self._other = Selected(other_types)
        self._hiding = hiding if self._other is not Selected.PASS else ()

    def of_request(self, headers: Headers) -> Selected:
        """Return what to do with the content of a request. Two types are none: parsers differ in which one counts."""
        fields = headers.get_all(b"content-type")
        if len(fields) > 1:
            return Selected.REJECT
        if not fields or not self._content_types.covers(fields[0]):
            hides = bool(fields and self._hiding) and fields[0].lower().lstrip().startswith(self._hiding)
            return Selected.REJECT if hides else self._other
        return Selected.CHECK

    def of_response(self, content_type: bytes | None) -> Selected:
        """Return what to do with the content of a response: members name their types."""
        return Selected.CHECK if self._content_types.covers(content_type or b"") else Selected.PASS
