"""The request of a health check, and the answer to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from adc.codecs.interface import KeptConnection, MemberConnection
from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response
from adc.net.proxy_protocol import Endpoints
from adc.pools.errors import Failure
from adc.pools.expect import BODY_LIMIT

USER_AGENT = b"adc health check"


class MemberFailed(Exception):
    """The member's response is not valid HTTP; the text is the reason."""


def check_request(method: str, target: str, host: str, fields: Mapping[str, str]) -> Request:
    """Return the request: `fields` beside `Host` and the fields that identify the check, which `fields` replace."""
    lines = {b"host": (b"Host", host.encode()), b"user-agent": (b"User-Agent", USER_AGENT)}
    lines[b"accept"] = (b"Accept", b"*/*")
    for name, value in fields.items():
        lines[name.lower().encode()] = (name.encode(), value.encode())
    lines[b"connection"] = (b"Connection", b"close")
    path, _, query = target.partition("?")
    return Request(method, target, path, query, host, host, Headers(list(lines.values())))


class Answer:
    """The `ResponseReceiver` of one check. `here` is done with the response head, and once its body is here too, as
    far as that is read: `with_body` says whether it is, at most BODY_LIMIT bytes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, with_body: bool) -> None:
        self.here: asyncio.Future[Response] = loop.create_future()
        self.body = bytearray()
        self._with_body = with_body
        self._response: Response | None = None

    @property
    def endpoints(self) -> Endpoints | None:
        return None

    def connected(self, connection: MemberConnection) -> None:
        """No-op: the request is sent with the connection."""

    def keep(self, connection: KeptConnection) -> bool:
        """Refuse: a check has a separate connection."""
        return False

    def response_informational(self, response: Response) -> None:
        """No-op: the final response is still to come."""

    def response_head(self, response: Response, body: bytes, end: bool) -> None:
        self._response = response
        self.response_body(body, end or not self._with_body)

    def response_body(self, data: bytes, end: bool) -> None:
        self.body += data
        if (end or len(self.body) >= BODY_LIMIT) and self._response is not None and not self.here.done():
            self.here.set_result(self._response)

    def response_trailers(self, fields: list[Pair]) -> None:
        self.response_body(b"", True)

    def failed(self, failure: Failure, detail: str) -> None:
        if not self.here.done():
            self.here.set_exception(MemberFailed(detail))

    def member_blocked(self) -> None:
        """No-op: the request is small."""

    def member_writable(self) -> None:
        """No-op: a probe has nothing more to send."""
