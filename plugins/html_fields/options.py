"""The options of `html_fields`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import nh3
from pydantic import AfterValidator, Field

from adc.plugin import Options, Size

from .fields import Unreadable, known_charset

_NAME = re.compile(r"[a-z][a-z0-9-]*")


def _name(value: str) -> str:
    if value != "*" and not _NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a name in lower case, such as p, h1 or data-id")
    return value


def _charset(value: str) -> str:
    try:
        return known_charset(value)
    except Unreadable:
        raise ValueError(f"{value!r} is not a charset of forms, such as utf-8 or euc-kr") from None


Name = Annotated[str, AfterValidator(_name)]


class HtmlFieldsOptions(Options):
    """Which fields are checked, what is allowed in them, and what happens to the rest."""

    on_html: Literal["sanitize", "reject", "report"] = "sanitize"
    """`sanitize`: HTML that is not allowed is removed from the field. `reject`: the client gets 400. `report`: there is
    a log event only."""

    fields: tuple[str, ...] = ()
    """Names of the fields that are checked; all by default. Of JSON, the path of keys: `comment.body`."""

    tags: tuple[Name, ...] = Field(default=tuple(sorted(nh3.ALLOWED_TAGS)))
    """Elements that are allowed; by default those for formatted text. `[]` allows none."""

    attributes: dict[Name, tuple[Name, ...]] = Field(
        default={tag: tuple(sorted(names)) for tag, names in sorted(nh3.ALLOWED_ATTRIBUTES.items())}
    )
    """Attributes that are allowed, by element; `*` is any element."""

    url_schemes: tuple[Name, ...] = ("http", "https", "mailto", "tel")
    """Schemes of links that are allowed."""

    charset: Annotated[str, AfterValidator(_charset)] = "utf-8"
    """Charset of query strings, and of forms that name none."""

    query: bool = False
    """Check the fields of the query string too, of any request."""

    max_html: Size = 512 << 10
    """Bytes of fields with HTML in one request; with more of them it gets 413."""

    max_size: Size = 10 << 20
    """Bytes of a form, files included; a larger one gets 413. It is buffered."""
