"""A response among the plugins that come between the member and the cache."""

from __future__ import annotations

from adc.http.headers import Headers
from adc.http.message import Response
from adc.plugin.chain import Chain
from adc.plugin.context import Context
from adc.plugin.phase_call import Stopped
from adc.proxy.plugins.interception import Intercepted, Interception
from adc.proxy.plugins.responses import ResponseRun
from adc.proxy.states import RESPONDING

_OF_A_PART = frozenset({b"range", b"if-range"})


class FetchRun(ResponseRun):
    """Runs response phases for a fetch of the cache. The contexts are copies of those of the exchange that caused it,
    which may end before; each response that the fetch receives has its own."""

    __slots__ = ("_at_first",)

    def __init__(self, chain: Chain, fetch: Intercepted, contexts: list[Context]) -> None:
        super().__init__(chain, chain.before_cache, fetch, contexts)
        self._at_first = contexts

    def response(self, response: Response, body: bytes, end: bool) -> None:
        self.contexts = [context.for_fetch() for context in self._at_first]
        super().response(response, body, end)

    def ask_for_whole(self) -> None:
        self.contexts = self._at_first
        request = self._sink.request
        if self._transforms and b"range" in request.headers:
            lines = [pair for pair in request.headers.pairs if pair[0].lower() not in _OF_A_PART]
            self._sink.request = request.with_headers(Headers(lines))

    def fetching(self, fetch: Intercepted) -> Interception | None:
        return None

    def _answer(self, stopped: Stopped) -> None:
        fetch, answer = self._sink, stopped.response
        if answer.abort:
            fetch.break_off(answer.end_reason)
            return
        if answer.error_page or fetch.state >= RESPONDING:
            fetch.fail(answer.status, answer.end_reason, lines=tuple(answer.lines()))
            return
        self.stop()
        self._depth = stopped.index
        if fetch.attempt is not None:
            fetch.attempt.cancel()
        fetch.respond(answer.head(), answer.content, True)

    def ended(self) -> None:
        """Release the plugins."""
        self.end_responses()
        self._unpacker = None
        self._chain.leave()
