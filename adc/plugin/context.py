"""One exchange as a phase sees it."""

from __future__ import annotations

from typing import Any, Protocol

from adc.http.message import Request, Response


class Log(Protocol):
    """The error log."""

    def warn(self, message: str, /, **fields: object) -> None:
        """Write one line."""


class Context:
    """One exchange as one plugin of its route sees it.

    `request` and `response` are the heads; a phase may change their `headers` until they are sent on.
    `response` is None until the response head phases. `state` is the plugin's own dictionary for this
    exchange. `route` is the route's name, `request_id` the value of X-Request-Id.
    """

    __slots__ = ("_log", "_skipped", "plugin", "request", "request_id", "response", "route", "state")

    def __init__(self, plugin: str, route: str, request: Request, request_id: str, log: Log) -> None:
        self.plugin = plugin
        self.route = route
        self.request = request
        self.request_id = request_id
        self.response: Response | None = None
        self.state: dict[str, Any] = {}
        self._log = log
        self._skipped: set[str] = set()

    @property
    def client(self) -> str:
        """The client's address, as the rules for trusted proxies derive it."""
        return self.request.source

    def skip_request_body(self) -> None:
        """Have this plugin's `request_body` not called for this exchange. For `request_head`."""
        self._skipped.add("request_body")

    def skip_response_body(self) -> None:
        """Have this plugin's `response_body` not called for this exchange. For `request_head` and
        `response_head`."""
        self._skipped.add("response_body")

    def skips(self, phase: str) -> bool:
        """True if `phase` is not to be called."""
        return phase in self._skipped

    def warn(self, message: str, **fields: object) -> None:
        """Write a line to the error log: the plugin, the route, the request id, `message` and `fields`.

        Lines that come too fast are suppressed and counted; values are escaped.
        """
        own = {"plugin": self.plugin, "route": self.route, "request_id": self.request_id, "detail": message}
        self._log.warn("plugin_message", **(fields | own))
