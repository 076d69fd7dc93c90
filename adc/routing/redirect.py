"""Redirects: a Location made from the request."""

from __future__ import annotations

import re
from string import Formatter

from adc.http.message import Request

STATUSES = frozenset({301, 302, 303, 307, 308})
PLACEHOLDERS = ("path", "query", "host", "scheme")

# Where a redirect leads is the operator's word: of the request, only its host can stand in the authority.
_safe_start = re.compile(
    r"(?:https?|\{scheme\})://(?:[^/?#{}@]*\{host\}|[^/?#{}@]+)(?::[0-9]+)?(?=\{path\}|[/?#]|\Z)"
    r"|(?=\{path\}|/(?!/))"
).match
_visible = re.compile(r"[!-~]+").fullmatch


class Redirect:
    """A redirect to a template with `{path}`, `{query}`, `{host}` and `{scheme}` of the request.

    `{path}` is the path that a member would receive: usually as the client wrote it. The query string is kept unless
    the template has a `?` or `{query}`. Raises `ValueError` for another status, an unknown placeholder, or a template
    that would let a request choose the target host.
    """

    __slots__ = ("_template", "status")

    def __init__(self, to: str, status: int = 308) -> None:
        if status not in STATUSES:
            allowed = ", ".join(map(str, sorted(STATUSES)))
            raise ValueError(f"status {status} is no redirect; allowed statuses: {allowed}")
        if not _visible(to):
            raise ValueError("a location holds only visible ASCII characters")
        _check_placeholders(to)
        if not _safe_start(to):
            raise ValueError("a location begins with a scheme and a host, with {path}, or with one '/'")
        if "?" not in to and "{query}" not in to:
            before, hash_sign, fragment = to.partition("#")
            to = f"{before}{{mark}}{{query}}{hash_sign}{fragment}"
        self._template = to
        self.status = status

    def location(self, request: Request) -> str:
        """Return the Location field's value: visible ASCII, and never a `//host` that the path spelled."""
        query = request.query
        path = request.sent_path
        location = self._template.format(
            path=path if path.startswith("/") else "/",  # OPTIONS * has no path
            query=query,
            mark="?" if query else "",
            host=request.host,
            scheme=request.scheme,
        )
        return f"/{location.lstrip('/')}" if location.startswith("//") else location


def _check_placeholders(template: str) -> None:
    for _, name, spec, conversion in Formatter().parse(template):
        if name is not None and (name not in PLACEHOLDERS or spec or conversion):
            raise ValueError(f"unknown placeholder '{{{name}}}'; known are {', '.join(PLACEHOLDERS)}")
