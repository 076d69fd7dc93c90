"""Error responses made here, HTML or JSON; almost all pages are rendered when the configuration is loaded."""

from __future__ import annotations

from functools import cache

from adc.http.headers import Headers, Pair
from adc.http.media import parse_preferences
from adc.http.message import Request, Response
from adc.proxy.pages.configured import Pages
from adc.proxy.pages.rendering import REQUEST_ID, STATUSES, built_in_template, html_page, json_page

_HTML = (b"Content-Type", b"text/html; charset=utf-8")
_JSON = (b"Content-Type", b"application/json")
_SERVER = (b"Server", b"adc")
_NO_STORE = (b"Cache-Control", b"no-store")


class Replies:
    """Error pages by status. `pages` replace the HTML of some statuses: jinja2 templates that see `status`, `phrase`,
    `hint` and `request_id`.

    Raises OSError and whatever a template raises for files that cannot be used.
    """

    def __init__(self, pages: Pages | None = None) -> None:
        self._pages = pages or Pages()
        self._html = dict(self._pages.rendered())
        self._json: dict[int, bytes] = {}
        for status in (*STATUSES, *self._html):
            self._add(status)

    def error(
        self, status: int, request: Request | None, request_id: str, proxy_status: str = ""
    ) -> tuple[Response, bytes]:
        """Return the response for `status`; `proxy_status` is an error token of RFC 9209 section 2.3, or "" for the one
        of the status."""
        as_json = request is not None and wants_json(request)
        kind, body = self.page(status, as_json, request_id)
        lines = [kind, _SERVER, _NO_STORE, (b"X-Request-Id", request_id.encode())]
        proxy_status = proxy_status or _error_type(status)
        if proxy_status:
            lines.append((b"Proxy-Status", b"adc; error=%b" % proxy_status.encode()))
        if status == 503:
            lines.append((b"Retry-After", b"5"))
        elif status == 405:
            lines.append((b"Allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"))
        return Response(status, Headers(lines), b"", len(body)), body

    def page(self, status: int, as_json: bool, request_id: str) -> tuple[Pair, bytes]:
        """Return the `Content-Type` line and the content of the page for `status`."""
        if status not in self._json:
            self._add(status)
        page = self._json[status] if as_json else self._html[status]
        return _JSON if as_json else _HTML, page.replace(REQUEST_ID.encode(), request_id.encode())

    def _add(self, status: int) -> None:
        """Render the pages of a status. Plugins and members respond with any; all others are rendered beforehand."""
        if status not in self._html:
            self._html[status] = self._pages.page(status) or _built_in(status)
        self._json[status] = _built_in_json(status)


def _error_type(status: int) -> str:
    """Return the error type for an error that adc found by itself; "" for a server error, which has a reason."""
    if status in (401, 403):
        return "http_request_denied"
    return "http_request_error" if status < 500 or status in (501, 505) else ""


_built_in_json = cache(json_page)


@cache
def _built_in(status: int) -> bytes:
    return html_page(built_in_template(), status)


def wants_json(request: Request, unsaid: bool = False) -> bool:
    """True if `Accept` prefers JSON to HTML; `unsaid` for clients that accept either alike, or do not say."""
    accept = request.headers.joined(b"accept")
    for preference in parse_preferences(accept or b""):
        if not preference.quality:
            break
        if preference.value in ("text/html", "text/*"):
            return False
        if preference.value in ("application/json", "application/problem+json", "application/*"):
            return True
        if preference.value == "*/*":
            return unsaid
    return unsaid
