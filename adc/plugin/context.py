"""One exchange as a phase sees it."""

from __future__ import annotations

from typing import Any, Final, Protocol

from adc.http.headers import Pair
from adc.http.message import Request, Response

MOST_MARK = 255
"""Bytes of a plugin's mark in the key of the cache."""

_NOTHING: Final[frozenset[str]] = frozenset()
_NO_LINES: Final[tuple[Pair, ...]] = ()


class Log(Protocol):
    """The error log."""

    def warn(self, message: str, /, **fields: object) -> None:
        """Write one line."""


class Context:
    """One exchange as one plugin of its route sees it.

    `request` and `response` are the heads; a phase may change their `headers` until they are sent on.
    `response` is None until the response head phases. `state` is the plugin's own dictionary for this
    exchange. `route` is the route's name, `request_id` the value of X-Request-Id. `cache_mark` is what
    `vary_cache` was given. `response_lines`, which `request_head` may set, are fields that the response gets
    before the response head phases.
    """

    __slots__ = (
        "_log",
        "_skipped",
        "_state",
        "cache_mark",
        "plugin",
        "request",
        "request_id",
        "response",
        "response_lines",
        "route",
    )

    def __init__(self, plugin: str, route: str, request: Request, request_id: str, log: Log) -> None:
        self.plugin = plugin
        self.route = route
        self.request = request
        self.request_id = request_id
        self.response: Response | None = None
        self._state: dict[str, Any] | None = None
        self.cache_mark = b""
        self._log = log
        self.response_lines: tuple[Pair, ...] = _NO_LINES
        self._skipped: frozenset[str] = _NOTHING

    @property
    def state(self) -> dict[str, Any]:
        """The plugin's own dictionary for this exchange."""
        found = self._state
        if found is None:
            found = self._state = {}
        return found

    @property
    def client(self) -> str:
        """The client's address, as the rules for trusted proxies derive it."""
        return self.request.source

    def skip_request_body(self) -> None:
        """Have this plugin's `request_body` not called for this exchange. For `request_head`."""
        self._skipped |= {"request_body"}

    def skip_response_body(self) -> None:
        """Have this plugin's `response_body` not called for this exchange. For `request_head` and
        `response_head`."""
        self._skipped |= {"response_body"}

    def set_query(self, query: str) -> None:
        """Give the request another query, as rules of later plugins, the cache and the member see it; "" removes it.
        For `request_head`. Raises ValueError for a query that cannot be sent."""
        if not (query.isascii() and query.isprintable()) or " " in query or "#" in query:
            raise ValueError(f"the query {query!r} has characters that a request cannot have")
        request = self.request
        path = request.target.partition("?")[0]
        request.query = query
        request.target = f"{path}?{query}" if query else path

    def vary_cache(self, mark: bytes) -> None:
        """Have the cache of the route keep responses with different marks apart, as variants of one URL. For
        `request_head`. Use few marks, such as the name of a format: each is fetched and stored separately.

        Raises ValueError if `mark` is longer than 255 bytes.
        """
        if len(mark) > MOST_MARK:
            raise ValueError(f"the mark has {len(mark)} bytes; at most {MOST_MARK} are allowed")
        self.cache_mark = mark

    def for_fetch(self) -> Context:
        """Return the context of the phases between member and cache, for a fetch that this exchange causes: it has the
        same state and another response."""
        other = Context(self.plugin, self.route, self.request, self.request_id, self._log)
        other._state, other.cache_mark, other._skipped = self.state, self.cache_mark, self._skipped
        return other

    def skips(self, phase: str) -> bool:
        """True if `phase` is not to be called."""
        return phase in self._skipped

    def warn(self, message: str, **fields: object) -> None:
        """Write a line to the error log: the plugin, the route, the request id, `message` and `fields`.

        Lines that come too fast are suppressed and counted; values are escaped.
        """
        own = {"plugin": self.plugin, "route": self.route, "request_id": self.request_id, "detail": message}
        self._log.warn("plugin_message", **(fields | own))
