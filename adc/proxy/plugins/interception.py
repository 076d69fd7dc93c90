"""A request whose response passes the plugins of its route, and the plugins as it sees them."""

from __future__ import annotations

from abc import abstractmethod

from adc.http.headers import Pair
from adc.http.message import Response
from adc.proxy.body_filter import BrokenContent
from adc.proxy.upstream.request import UpstreamRequest


class Interception:
    """Reads, changes and stops what passes a request. It receives request content while `takes_request_body`, the
    response head until it is `open`, and response content while `takes_response_body`. `changes`: a phase may have
    changed the response content. `asked_range` and `if_range` are the fields of the client that the member is not
    sent, because a phase wants whole content.

    Request phases are those of an exchange alone.
    """

    __slots__ = ("asked_range", "changes", "if_range", "open")

    asked_range: bytes | None
    changes: bool
    if_range: bytes | None
    open: bool

    @property
    def takes_request_body(self) -> bool:
        """True if a phase reads the request content."""
        return False

    @property
    def changes_request_body(self) -> bool:
        """True if a phase may change the request content."""
        return False

    def passable(self, trailers: list[Pair]) -> list[Pair]:
        """Return the request trailers that may be passed on."""
        return trailers

    def request_body(self, data: bytes, end: bool) -> None:
        """Receive request content."""

    @abstractmethod
    def ask_for_whole(self) -> None:
        """Have the member send whole content if a phase replaces it."""

    @property
    def fetches_whole(self) -> bool:
        """True if a fetch for this exchange asks for whole content, so that a request for a part may share it."""
        return False

    @abstractmethod
    def fetching(self, fetch: Intercepted) -> Interception | None:
        """Return the phases between the member and the cache for a fetch that this exchange causes; None if there are
        none."""

    @abstractmethod
    def response(self, response: Response, body: bytes, end: bool) -> None:
        """Receive a final response head, of the first attempt or of a later one, and what came with it."""

    def error_head(self, response: Response) -> None:
        """Receive the head of an error page of adc, whose fields plugins may change."""

    @property
    @abstractmethod
    def takes_response_body(self) -> bool:
        """True if a phase reads the response content, or the content waits for the head to pass."""

    @abstractmethod
    def response_body(self, data: bytes, end: bool) -> None:
        """Receive response content."""

    @abstractmethod
    def released(self) -> None:
        """Go on if the sink accepts more content, after it has removed a reason to stop the response."""

    @abstractmethod
    def ended(self) -> None:
        """Stop, and run the log phases of an exchange: the request is over."""


class Intercepted(UpstreamRequest):
    """The sink behind the plugins: a client's exchange, or a fetch of the cache."""

    __slots__ = ("plugins", "response_trailers")

    plugins: Interception | None
    response_trailers: list[Pair]

    def respond_body(self, data: bytes, end: bool) -> None:
        """Receive more of the response, and pass it through the plugins that want its content."""
        plugins = self.plugins
        if plugins is not None and plugins.takes_response_body:
            plugins.response_body(data, end)
        else:
            self.deliver(data, end)

    @abstractmethod
    def deliver(self, data: bytes, end: bool) -> None:
        """Receive more content from the plugins."""

    @abstractmethod
    def break_off(self, reason: str) -> None:
        """Abort the response visibly: no client must take it for complete."""

    def content_broke(self, broken: BrokenContent) -> None:
        """Respond with 502, or abort the response: its content cannot be passed on."""
        self.context.error_log.warn("bad_content", detail=str(broken), request_id=self.request_id)
        self.fail(502, "bad_response", "http_response_content_coding")

    def release_response(self, reasons: int) -> None:
        if self.response_gate is not None:
            self.response_gate.open(reasons)
        if self.plugins is not None:
            self.plugins.released()
