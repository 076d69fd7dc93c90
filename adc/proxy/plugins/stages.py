"""The first stage of a route with plugins: the request phases, then what the route does."""

from __future__ import annotations

from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.plugin.body import BodyPass
from adc.plugin.chain import Chain
from adc.proxy.exchange import Exchange
from adc.proxy.gate import BUFFER
from adc.proxy.pipeline import Action
from adc.proxy.plugins.run import PluginRun
from adc.proxy.states import ENDED


class RunPlugins:
    """Runs the request phases of a chain for an exchange, and leaves it a `PluginRun` for the later phases.

    While an `async def` head phase runs, content that arrives is buffered as before any member is connected.
    """

    __slots__ = ("_chain", "_next")

    def __init__(self, chain: Chain, following: Action[Exchange]) -> None:
        self._chain = chain
        self._next = following

    def __call__(self, exchange: Exchange) -> None:
        run = exchange.plugins = PluginRun(self._chain, exchange)
        run.request_head(lambda: self._content(exchange, run))

    def _content(self, exchange: Exchange, run: PluginRun) -> None:
        request = exchange.request
        empty = request.body_length == 0 or (exchange.body_end and not exchange.body)
        if not self._chain.request_body or empty or request.upgrade:
            self._next(exchange)
            return
        content = self._chain.body(self._chain.request_body, run.contexts, self._chain.depth)
        if content is None:
            self._next(exchange)
        elif content.limit is not None and request.body_length > content.limit:
            run.refuse_body()
        else:
            self._begin(exchange, run, content)

    def _begin(self, exchange: Exchange, run: PluginRun, content: BodyPass) -> None:
        data, end = exchange.body, exchange.body_end
        exchange.body, exchange.body_end = b"", False
        exchange.release_content(BUFFER)
        exchange.drop_digests()
        run.begin_request_body(content, self._next)
        if content.whole:
            _ask_for_content(exchange, end)
        else:
            exchange.request.body_length = UNKNOWN_LENGTH
            self._next(exchange)
        if exchange.state != ENDED and (data or end):
            run.requests.push(data, end)


def _ask_for_content(exchange: Exchange, end: bool) -> None:
    """Have the client send its content now: no member will send a 100 (Continue) before it is here."""
    if exchange.request.expect_continue:
        if end:
            exchange.request.expect_continue = False
        else:
            exchange.ask_for_content(Response(100, Headers()))
    exchange.await_content()
