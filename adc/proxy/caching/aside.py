"""The client's side of an exchange that the cache made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from adc.http.headers import Pair
from adc.http.message import NOBODY, Response

if TYPE_CHECKING:
    from adc.codecs.interface import KeptConnection, Stream
    from adc.http.client import Client
    from adc.pools.member import Member
    from adc.proxy.caching.fetch import Fetch


class Aside:
    """The `Stream` of a `Fetch`. Only interim responses come through it, for those who wait.

    `behind`: the stream of the client whose request is sent, so that a member that is told addresses hears of that
    client and does not take the request for the proxy's own; None for a refresh that no client waits for.
    """

    __slots__ = ("_behind", "_fetch")

    def __init__(self, fetch: Fetch, behind: Stream | None) -> None:
        self._fetch: Fetch | None = fetch
        self._behind = behind

    def release(self) -> None:
        """Forget the fetch, which is over: it holds this stream, a cycle otherwise."""
        self._fetch = self._behind = None

    @property
    def client(self) -> Client:
        """The client whose request is sent; `NOBODY` for a refresh."""
        return NOBODY if self._behind is None else self._behind.client

    def send_informational(self, response: Response) -> None:
        """Pass on early hints."""
        for source in () if self._fetch is None else self._fetch.sources:
            if not source.exchange.head_sent:
                source.exchange.stream.send_informational(response)

    def send_head(self, response: Response, body: bytes, end: bool) -> None:
        """Responses go another way."""

    def send_body(self, data: bytes, end: bool) -> None:
        """Responses go another way."""

    def send_trailers(self, fields: list[Pair]) -> bool:
        """Return False: responses go another way."""
        return False

    def file_output(self, writable: Callable[[], None]) -> None:
        """Responses go another way."""

    def keep(self, member: Member, connection: KeptConnection) -> bool:
        """Return False: a fetch belongs to no client connection."""
        return False

    def kept(self, pool: str) -> None:
        """Nothing is kept."""

    def abort(self) -> None:
        """There is nothing to break off."""

    def pause_reading(self) -> None:
        """There is no request content."""

    @property
    def is_slow(self) -> bool:
        return False

    def resume_reading(self) -> None:
        """There is no request content."""
