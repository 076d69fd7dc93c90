"""The content of error pages."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Final

REQUEST_ID: Final = "@request-id@"
"""Stands in a page for the id of the request."""

_BUILT_IN: Final = Path(__file__).with_name("error.html.j2")
_placeholder: Final = re.compile(r"\{\{ (\w+) \}\}")
STATUSES = (
    400,
    403,
    404,
    405,
    408,
    412,
    413,
    414,
    416,
    417,
    421,
    429,
    431,
    499,
    500,
    501,
    502,
    503,
    504,
    505,
    508,
)
"""Statuses that adc itself responds with."""

_HINTS = {
    400: "The request was malformed or ambiguous.",
    403: "This is not allowed.",
    404: "Nothing is served here.",
    405: "This method is not served.",
    408: "The request did not arrive in time.",
    412: "The file has changed.",
    413: "The request content is too large.",
    414: "The address is too long.",
    416: "The file has no such part.",
    417: "The expectation cannot be met.",
    421: "This name is not served on this connection.",
    429: "Too many requests; try again later.",
    431: "The request header is too large.",
    500: "Something went wrong here.",
    501: "This method is not known here.",
    502: "The application could not be reached or gave no valid answer.",
    503: "The application is not available now; try again later.",
    504: "The application did not answer in time.",
    505: "This version of HTTP is not served.",
    508: "The request goes round in a circle.",
}


def built_in_template() -> str:
    """Return the text of the HTML page for every status that the configuration has no template for."""
    return _BUILT_IN.read_text("utf-8").removesuffix("\n")


def html_page(template: str, status: int) -> bytes:
    """Fill in the built-in template. The texts are ours, without markup, so no template engine is imported."""
    named = {"status": str(status), **texts(status)}
    return _placeholder.sub(lambda found: named[found[1]], template).encode()


def json_page(status: int) -> bytes:
    """Return the page for clients that prefer JSON."""
    named = texts(status)
    fields = {"status": status, "error": named["phrase"], "detail": named["hint"]}
    return json.dumps({**fields, "request_id": named["request_id"]}).encode()


def texts(status: int) -> dict[str, str]:
    """Return the texts of a page, by the name of the placeholder."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    return {"phrase": phrase, "hint": _HINTS.get(status, phrase), "request_id": REQUEST_ID}
