"""The model that options of plugins may derive from, and types of options that several plugins have."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from adc.http.media_types import MediaTypes
from adc.http.networks import Networks

_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+\-]+/(?:\*(?:\+[a-z0-9!#$&^_.\-]+)?|[a-z0-9!#$&^_.+\-]+)")


class Options(BaseModel):
    """Options as a model: `class Limits(Options): most: int = 5`. Unknown keys are errors.

    The docstring below an option is its description in the reference."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, arbitrary_types_allowed=True
    )


def _media_types(value: object) -> object:
    if isinstance(value, MediaTypes):
        return value
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not listed:
        raise ValueError(f"{value!r} is not a list of media types, such as [text/html, application/*+json]")
    for each in listed:
        if not isinstance(each, str) or not _MEDIA_TYPE.fullmatch(each):
            raise ValueError(f"{each!r} is not a media type such as text/html, text/* or application/*+json")
    return MediaTypes(listed)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Strings = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""Texts as a list, or one: `[GET, PUT]`, `GET`."""

ContentTypes = Annotated[
    MediaTypes,
    BeforeValidator(_media_types),
    PlainSerializer(lambda value: list(value.types)),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
]
"""Media types as a list, or one: `[text/html, text/*, application/*+json]`; `covers(content_type)` tells if one of them
is meant."""


def _networks(value: object) -> object:
    if isinstance(value, Networks):
        return value
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(each, str) for each in listed):
        raise ValueError(
            f"{value!r} is not a list of networks, such as [10.0.0.0/8, 2001:db8::/32, 192.0.2.7]"
        )
    return Networks(listed)


NetworkList = Annotated[
    Networks,
    BeforeValidator(_networks),
    PlainSerializer(lambda value: list(value.written)),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
]
"""Networks and addresses as a list, or one: `[10.0.0.0/8, 2001:db8::/32]`; `contains(address)` tells if the text of an
address is in one of them."""
