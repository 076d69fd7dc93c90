"""Error responses made here, HTML or JSON; almost all pages are rendered when the configuration is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adc.http.headers import Headers
from adc.http.media import parse_preferences
from adc.http.message import Request, Response
from adc.proxy.pages.rendering import (
    REQUEST_ID,
    STATUSES,
    built_in_template,
    html_page,
    json_page,
    rendered,
)

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
        self._template = built_in_template()
        self._html = rendered(files)
        self._json: dict[int, bytes] = {}
        for status in (*STATUSES, *files):
            self._add(status)

    def error(
        self, status: int, request: Request | None, request_id: str, proxy_status: str = ""
    ) -> tuple[Response, bytes]:
        """Return the response for `status`; `proxy_status` is an error token of RFC 9209 section 2.3, or ""."""
        as_json = request is not None and _wants_json(request)
        pages = self._json if as_json else self._html
        if status not in pages:
            self._add(status)
        body = pages[status].replace(REQUEST_ID.encode(), request_id.encode())
        lines = [_JSON if as_json else _HTML, _SERVER, _NO_STORE, (b"X-Request-Id", request_id.encode())]
        if proxy_status:
            lines.append((b"Proxy-Status", b"adc; error=%b" % proxy_status.encode()))
        if status == 503:
            lines.append((b"Retry-After", b"5"))
        elif status == 405:
            lines.append((b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
        return Response(status, Headers(lines), b"", len(body)), body

    def _add(self, status: int) -> None:
        """Render the pages of a status. Plugins respond with any; all others are rendered beforehand."""
        if status not in self._html:
            self._html[status] = html_page(self._template, status)
        self._json[status] = json_page(status)


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
