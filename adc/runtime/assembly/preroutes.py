"""What a listener answers before it asks the routes: challenges of a certificate authority, the redirect to https."""

from __future__ import annotations

from collections.abc import Mapping

from adc.config import Config
from adc.config.model.listeners import Listener
from adc.http.headers import Headers
from adc.http.message import Request, Response
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Action, Pipeline
from adc.proxy.stages.to_https import ToHttps
from adc.proxy.timeouts import Timeouts
from adc.runtime.assembly.runtime import Find

CHALLENGE_PATH = "/.well-known/acme-challenge/"

Challenges = Mapping[str, str]
"""Token -> key authorization of the http-01 challenges under way (RFC 8555 section 8.3)."""


class Preroutes:
    """The pipelines of one listener that stand before its routes; they keep their counters over reloads."""

    def __init__(self, listener: str, challenges: Challenges) -> None:
        self._challenges = challenges
        self._challenge = _pipeline(f"acme:{listener}", self._answer)
        self._redirect = _pipeline(f"https:{listener}", ToHttps(308, 443))

    @property
    def pipelines(self) -> tuple[Pipeline[Exchange], ...]:
        """Return the pipelines that are counted besides the routes."""
        return self._challenge, self._redirect

    def before(self, find: Find, config: Config, listener: Listener) -> Find:
        """Return `find`, with what the configuration puts before it; `find` itself if that is nothing."""
        if listener.redirect_to_https is not None:
            self._redirect.start = ToHttps(listener.redirect_to_https.status, listener.redirect_to_https.port)
            find = self._redirecting(find)
        if any(other.tls is not None and other.tls.acme is not None for other in config.listeners):
            find = self._challenged(find)
        return find

    def _redirecting(self, find: Find) -> Find:
        def redirecting(request: Request) -> Pipeline[Exchange] | None:
            return find(request) if request.scheme == "https" else self._redirect

        return redirecting

    def _challenged(self, find: Find) -> Find:
        challenges = self._challenges

        def challenged(request: Request) -> Pipeline[Exchange] | None:
            path = request.path
            if path.startswith(CHALLENGE_PATH) and path[len(CHALLENGE_PATH) :] in challenges:
                return self._challenge
            return find(request)

        return challenged

    def _answer(self, exchange: Exchange) -> None:
        body = self._challenges[exchange.request.path[len(CHALLENGE_PATH) :]].encode()
        lines = [(b"Content-Type", b"application/octet-stream"), (b"Cache-Control", b"no-store")]
        exchange.respond(Response(200, Headers(lines), b"", len(body)), body, True)


def _pipeline(name: str, start: Action[Exchange]) -> Pipeline[Exchange]:
    return Pipeline(name, start, timeouts=Timeouts())
