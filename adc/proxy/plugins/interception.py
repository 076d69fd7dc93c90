"""The phases of plugins, as an exchange sees them."""

from __future__ import annotations

from abc import abstractmethod

from adc.http.message import Response


class Interception:
    """Reads, changes and stops what passes an exchange. The exchange gives it request content while
    `takes_request_body`, the response head until it is `open`, and response content while `takes_response_body`.
    `changes`: a phase may have changed the response content."""

    __slots__ = ("changes", "open")

    changes: bool
    open: bool

    @property
    @abstractmethod
    def takes_request_body(self) -> bool:
        """True if a phase reads the request content."""

    @property
    @abstractmethod
    def changes_request_body(self) -> bool:
        """True if a phase may change the request content."""

    @abstractmethod
    def request_body(self, data: bytes, end: bool) -> None:
        """Receive request content."""

    @abstractmethod
    def response(self, response: Response, body: bytes, end: bool) -> None:
        """Receive a final response head, of the first attempt or of a later one, and what came with it."""

    @abstractmethod
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
    def ended(self) -> None:
        """Stop, and run the log phases: the exchange is over."""
