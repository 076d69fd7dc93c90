"""The options of `html_validation`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from webencodings import lookup

from adc.plugin import ContentTypes, Duration, Options, Size


def _encoding(value: str) -> str:
    found = lookup(value)
    if found is None:
        raise ValueError(f"{value!r} is not the label of an encoding, such as utf-8, euc-kr or windows-1252")
    return str(found.name)


def _code(value: str) -> str:
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", value):
        raise ValueError(f"{value!r} is not the code of a parse error, such as duplicate-attribute")
    return value


def _field_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]*", value):
        raise ValueError(f"{value!r} is not a field name of letters, digits and hyphens")
    return value


class HtmlValidationOptions(Options):
    """What is checked, and what an invalid document leads to."""

    on_invalid: Literal["report", "repair", "reject"] = "report"
    """`report`: a response field and a log event, the content unchanged. `repair`: an invalid document is written again
    from its tree. `reject`: the client gets 502."""

    wait: bool = True
    """False: the content streams while it is checked; there is a log event, but no response field. For `report`."""

    content_types: ContentTypes = Field(default=["text/html"], validate_default=True)
    """Media types of the responses that are checked."""

    max_size: Size = 1 << 20
    """Bytes of a document that are checked. The rest of a larger one is not, and follows as it is."""

    max_time: Duration = 1.0
    """Processor time for one document; the worker serves others in between."""

    on_incomplete: Literal["pass", "reject"] = "pass"
    """`reject`: the client gets 502 for a document that exceeds `max_size` or `max_time`, or cannot be decoded; not for
    `report`."""

    max_errors: Annotated[int, Field(ge=1, le=100)] = 10
    """Errors of a document that are logged; all are counted."""

    ignore: tuple[Annotated[str, AfterValidator(_code)], ...] = ()
    """Codes of errors that do not count."""

    scripting: bool = True
    """True: as a browser with scripts, for which the content of `noscript` is text."""

    default_encoding: Annotated[str, AfterValidator(_encoding)] = "windows-1252"
    """Encoding of documents that name none."""

    header: Annotated[str, AfterValidator(_field_name)] = "X-HTML-Validation"
    """Response field with the result; an empty text leaves it out."""
