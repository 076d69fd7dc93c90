"""Answers made here: error pages as HTML or JSON, each rendered once, almost all when the configuration is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, PackageLoader, Template

from adc.http.headers import Headers
from adc.http.media import parse_preferences
from adc.http.message import Request, Response

_REQUEST_ID = "@request-id@"
_STATUSES = (400, 403, 404, 405, 408, 413, 414, 417, 421, 429, 431, 499, 500, 501, 502, 503, 504, 505, 508)
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
_HTML = (b"Content-Type", b"text/html; charset=utf-8")
_JSON = (b"Content-Type", b"application/json")
_SERVER = (b"Server", b"adc")
_NO_STORE = (b"Cache-Control", b"no-store")


class Replies:
    """Error pages by status. `files` replaces the HTML template of some statuses: paths of jinja2 templates that see
    `status`, `phrase`, `hint` and `request_id`.

    Raises OSError and `jinja2.TemplateError` for files that cannot be used.
    """

    def __init__(self, files: Mapping[int, Path]) -> None:
        environment = Environment(autoescape=True, loader=PackageLoader("adc.proxy", "pages"))
        html, json = environment.get_template("error.html.j2"), environment.get_template("error.json.j2")
        self._html: dict[int, bytes] = {}
        self._json: dict[int, bytes] = {}
        self._templates = (html, json)
        for status in {*_STATUSES, *files}:
            page = environment.from_string(files[status].read_text("utf-8")) if status in files else html
            self._add(status, page, json)

    def error(
        self, status: int, request: Request | None, request_id: str, proxy_status: str = ""
    ) -> tuple[Response, bytes]:
        """Return the response for `status`; `proxy_status` is an error token of RFC 9209 section 2.3, or ""."""
        as_json = request is not None and _wants_json(request)
        pages = self._json if as_json else self._html
        if status not in pages:
            self._add(status, *self._templates)
        body = pages[status].replace(_REQUEST_ID.encode(), request_id.encode())
        lines = [_JSON if as_json else _HTML, _SERVER, _NO_STORE, (b"X-Request-Id", request_id.encode())]
        if proxy_status:
            lines.append((b"Proxy-Status", b"adc; error=%b" % proxy_status.encode()))
        if status == 503:
            lines.append((b"Retry-After", b"5"))
        elif status == 405:
            lines.append((b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
        return Response(status, Headers(lines), b"", len(body)), body

    def _add(self, status: int, page: Template, json: Template) -> None:
        """Render the pages of a status. Plugins respond with any; all others are rendered beforehand."""
        self._html[status] = _render(page, status)
        self._json[status] = _render(json, status)


def _wants_json(request: Request) -> bool:
    """True if `Accept` prefers JSON to HTML; clients that do not say get HTML."""
    accept = request.headers.joined(b"accept")
    for preference in parse_preferences(accept or b""):
        if not preference.quality:
            break
        if preference.value in ("text/html", "*/*", "text/*"):
            return False
        if preference.value in ("application/json", "application/problem+json", "application/*"):
            return True
    return False


def _render(template: Template, status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    hint = _HINTS.get(status, phrase)
    return template.render(status=status, phrase=phrase, hint=hint, request_id=_REQUEST_ID).encode()
