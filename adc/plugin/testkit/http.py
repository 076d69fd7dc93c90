"""The HTTP client of a plugin under test, which sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from adc.http.headers import Headers, Pair
from adc.plugin.http_client import HttpClient, HttpFailed, HttpReply


@dataclass(frozen=True)
class SentRequest:
    """A request that the plugin sent."""

    method: str
    url: str
    headers: Headers
    body: bytes


Replier = Callable[[SentRequest], HttpReply]


class FakeHttp:
    """Replies of other servers, by URL without its query, and the requests that the plugin sent.

    A URL without a reply fails with HttpFailed, and so does everything while `down` is True.
    """

    def __init__(self) -> None:
        self.requests: list[SentRequest] = []
        self.down = False
        self._replies: dict[str, Replier] = {}

    def reply(
        self,
        url: str,
        content: bytes | str = b"",
        status: int = 200,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    ) -> None:
        """Have `url` answered so from now on."""
        items = headers.items() if isinstance(headers, Mapping) else headers
        fields = [(name.encode(), value.encode("latin-1")) for name, value in items]
        body = content.encode() if isinstance(content, str) else content
        self._replies[url] = lambda sent: HttpReply(status, Headers(fields), body)

    def reply_with(self, url: str, replier: Replier) -> None:
        """Have `url` answered with what `replier` returns or raises."""
        self._replies[url] = replier

    def send(self, sent: SentRequest) -> HttpReply:
        """Keep the request and return its reply."""
        self.requests.append(sent)
        replier = self._replies.get(sent.url.partition("?")[0])
        if replier is None or self.down:
            raise HttpFailed(sent.url, "the test has no reply for it")
        return replier(sent)


class FakeClient(HttpClient):
    """One client of the plugin."""

    def __init__(self, servers: FakeHttp) -> None:
        self._servers = servers

    async def _send(self, method: str, url: str, headers: list[Pair], body: bytes) -> HttpReply:
        return self._servers.send(SentRequest(method, url, Headers(headers), body))

    async def close(self) -> None:
        """No-op: there are no connections."""
