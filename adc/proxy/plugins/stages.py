"""The first stage of a route with plugins: the request phases, then what the route does."""

from __future__ import annotations

from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.plugin.body import BodyPass
from adc.plugin.chain import Chain
from adc.proxy.exchange import Exchange
from adc.proxy.gate import BUFFER
from adc.proxy.pipeline import Action
from adc.proxy.plugins.interception import Intercepted
from adc.proxy.plugins.run import PluginRun, RequestStage
from adc.proxy.stages.locations import RestoreLocations
from adc.proxy.states import AWAITING, ENDED
from adc.proxy.trailers import DIGESTS
from adc.proxy.upstream.request import UpstreamRequest


class RunPlugins(RequestStage):
    """Runs the request phases of a chain for an exchange, and leaves it a `PluginRun` for the later phases.

    While an `async def` head phase runs, content that arrives is buffered as before any member is connected.
    `restore` edits the heads of responses before the plugins see them, except the plugins' own. `has_cache`:
    the route has a cache.
    """

    __slots__ = ("_asks", "_cached", "_chain", "_next", "_restore")

    def __init__(
        self, chain: Chain, following: Action[Exchange], restore: RestoreLocations | None, has_cache: bool
    ) -> None:
        self._cached = has_cache and bool(chain.before_cache)
        self._asks = has_cache or bool(chain.responses.transforming)
        self._chain = chain
        self._next = following
        self._restore = restore

    def __call__(self, exchange: Exchange) -> None:
        admission = self._chain.admission
        if admission is not None and self._restore is None:
            lines = admission.lines(exchange.request)
            if lines is not None:  # no phase would see the exchange
                exchange.response_lines = lines
                self._next(exchange)
                return
        run = exchange.plugins = PluginRun(self._chain, exchange, self._restore, self._cached)
        if run.passes_head(self):
            self.head_passed(exchange, run)

    def head_passed(self, exchange: Exchange, run: PluginRun) -> None:
        if self._asks:
            run.requested()
        if run.open:
            run.note_lines()
        exchange.target = exchange.request.target
        content = self._content_phases(exchange, run)
        if content is None:
            self._next(exchange)
        elif content.limit is not None and exchange.request.body_length > content.limit:
            run.refuse_body()
        else:
            self._begin(exchange, run, content)

    def _content_phases(self, exchange: Exchange, run: PluginRun) -> BodyPass | None:
        chain, request = self._chain, exchange.request
        calls = chain.request_body
        if not calls:
            return None
        empty = request.body_length == 0  # not without chunks: their end may be here already, or come later
        if not (empty or request.upgrade):
            return chain.body(calls, run.contexts, chain.depth)
        content = chain.beginning(calls, run.contexts, chain.depth)
        if content is not None and content.withholds and not empty:
            request.upgrade = b""  # served as if not offered: what follows an upgrade cannot be inspected
        return content

    def _begin(self, exchange: Exchange, run: PluginRun, content: BodyPass) -> None:
        data, end = exchange.body, exchange.body_end
        exchange.body, exchange.body_end = b"", False
        exchange.release_content(BUFFER)
        if content.withholds:
            run.begin_request_body(content, self._next)
            _ask_for_content(exchange, end)
        else:
            run.begin_request_body(content, None)
            if content.changes:
                exchange.drop_digests()
                exchange.request.headers.remove(*DIGESTS)
                exchange.request.body_length = UNKNOWN_LENGTH
                self._next(exchange)
            else:
                run.requests.push(data, end)
                if exchange.state == AWAITING:  # no phase has responded
                    self._next(exchange)
                return
        if exchange.state != ENDED and (data or end):
            run.requests.push(data, end)


class AskForWhole:
    """Asks the member for whole content, behind the cache of a route whose stored responses plugins change."""

    __slots__ = ("_next",)

    def __init__(self, following: Action[UpstreamRequest]) -> None:
        self._next = following

    def __call__(self, upstream: UpstreamRequest) -> None:
        if isinstance(upstream, Intercepted) and upstream.plugins is not None:
            upstream.plugins.ask_for_whole()
        self._next(upstream)


def _ask_for_content(exchange: Exchange, end: bool) -> None:
    """Have the client send its content now: no member will send a 100 (Continue) before it is here."""
    if exchange.request.expect_continue:
        if end:
            exchange.request.expect_continue = False
        else:
            exchange.ask_for_content(Response(100, Headers()))
    exchange.await_content()
