"""The client's side of an exchange that has no client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adc.http.message import Response

if TYPE_CHECKING:
    from adc.proxy.caching.fetch import Fetch


class Aside:
    """The `Stream` of a `Fetch`. Only interim responses come through it, for those who wait."""

    __slots__ = ("_fetch",)

    address = None
    own_address = None

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def send_informational(self, response: Response) -> None:
        """Pass on early hints."""
        for source in self._fetch.sources:
            if not source.exchange.head_sent:
                source.exchange.stream.send_informational(response)

    def send_head(self, response: Response, body: bytes, end: bool) -> None:
        """Responses go another way."""

    def send_body(self, data: bytes, end: bool) -> None:
        """Responses go another way."""

    def abort(self) -> None:
        """There is nothing to break off."""

    def pause_reading(self) -> None:
        """There is no request content."""

    def resume_reading(self) -> None:
        """There is no request content."""
