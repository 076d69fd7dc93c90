"""Refused documents as invalid messages, with a place where there is one."""

from __future__ import annotations

from adc_plugins.documents.json.places import repeated_name
from adc_plugins.documents.json.refused import JsonRefused, pointer
from adc_plugins.documents.json.text import RepeatedName
from adc_plugins.documents.refusal import Invalid


def invalid(content: bytes, refused: JsonRefused) -> Invalid:
    """Return why a document is invalid. The place of a repeated name is searched for."""
    found = repeated_name(content.decode()) if isinstance(refused, RepeatedName) else None
    if found is None:
        return Invalid(refused.reason, refused.line, refused.column)
    return Invalid(refused.reason, *found.place, details={"pointer": pointer((*found.path, found.name))})
