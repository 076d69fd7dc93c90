"""The content of error pages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

REQUEST_ID: Final = "@request-id@"
"""Stands in a page for the id of the request."""

_BUILT_IN: Final = Path(__file__).with_name("error.html.j2")
_placeholder: Final = re.compile(r"\{\{ (\w+) \}\}")
STATUSES = (400, 403, 404, 405, 408, 413, 414, 417, 421, 429, 431, 499, 500, 501, 502, 503, 504, 505, 508)
"""Statuses that adc itself responds with."""

_HINTS = {
    400: "The request was malformed or ambiguous.",
    403: "This is not allowed.",
    404: "Nothing is served here.",
    405: "This method is not served.",
    408: "The request did not arrive in time.",
    413: "The request content is too large.",
    414: "The address is too long.",
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
    texts = {"status": str(status), **_texts(status)}
    return _placeholder.sub(lambda found: texts[found[1]], template).encode()


def json_page(status: int) -> bytes:
    """Return the page for clients that prefer JSON."""
    texts = _texts(status)
    fields = {"status": status, "error": texts["phrase"], "detail": texts["hint"]}
    return json.dumps({**fields, "request_id": texts["request_id"]}).encode()


def rendered(files: Mapping[int, Path]) -> dict[int, bytes]:
    """Render the jinja2 templates of the configuration, by status; only they need jinja2.

    Raises OSError and `jinja2.TemplateError` for files that cannot be used.
    """
    if not files:
        return {}
    from jinja2 import Environment, PackageLoader

    environment = Environment(autoescape=True, loader=PackageLoader("adc.proxy", "pages"))
    pages = {}
    for status, path in files.items():
        template = environment.from_string(path.read_text("utf-8"))
        pages[status] = template.render(status=status, **_texts(status)).encode()
    return pages


def _texts(status: int) -> dict[str, str]:
    """Return the texts of a page, by the name of the placeholder."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    return {"phrase": phrase, "hint": _HINTS.get(status, phrase), "request_id": REQUEST_ID}
