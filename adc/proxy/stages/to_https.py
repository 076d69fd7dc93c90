"""The action that sends clients to the https listener."""

from __future__ import annotations

from adc.http.headers import Headers
from adc.http.message import Request, Response
from adc.proxy.upstream.request import UpstreamRequest


class ToHttps:
    """Redirects to the same host and target under https at `port`; a request that names no host gets 400."""

    __slots__ = ("_port", "_status")

    def __init__(self, status: int, port: int) -> None:
        self._status = status
        self._port = "" if port == 443 else f":{port}"

    def __call__(self, upstream: UpstreamRequest) -> None:
        request = upstream.request
        if not request.host:
            upstream.fail(400, "bad_request")
            return
        location = self.location(request).encode("latin-1")
        upstream.respond(Response(self._status, Headers([(b"Location", location)]), b"", 0), b"", True)

    def location(self, request: Request) -> str:
        """Return the address that the client is sent to."""
        target = request.target if request.target.startswith("/") else ""  # OPTIONS * has no path
        return f"https://{request.host}{self._port}{target}"
