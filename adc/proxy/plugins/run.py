"""One exchange among the plugins of its route."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from functools import partial
from math import inf
from types import CoroutineType

from adc.compression.eligibility import ask_for_identity
from adc.http.headers import Pair
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.plugin.body import BodyPass, BodyTooLarge
from adc.plugin.chain import Chain
from adc.plugin.context import Context
from adc.plugin.phase_call import PhaseCall, Stopped
from adc.plugin.use import PluginFailed
from adc.proxy.exchange import Exchange
from adc.proxy.gate import PLUGIN
from adc.proxy.phases import PLUGIN as AT_PLUGIN
from adc.proxy.pipeline import Action
from adc.proxy.plugins.fetched import FetchRun
from adc.proxy.plugins.flow import PluginFlow
from adc.proxy.plugins.interception import Intercepted, Interception
from adc.proxy.plugins.responses import ResponseRun
from adc.proxy.stages.locations import RestoreLocations
from adc.proxy.states import ENDED, RESPONDING
from adc.proxy.trailers import DIGESTS

_NOT_CACHED = frozenset({"", "bypass"})
"""What an exchange says of the cache whose response has not passed one."""

_log_tasks: set[asyncio.Task[None]] = set()
"""Log phases outlive their exchange; the loop alone would not keep them."""


class RequestStage:
    """The stage that a request has reached among the plugins."""

    __slots__ = ()

    @abstractmethod
    def __call__(self, exchange: Exchange) -> None:
        """Begin the stage for a request."""

    @abstractmethod
    def head_passed(self, exchange: Exchange, run: PluginRun) -> None:
        """Go on: the request head phases have let the request pass."""


class PluginRun(ResponseRun):
    """Runs the phases for one exchange. `_cached`: the route has a cache, and plugins before it. `requests` is the
    request content on its way through the plugins."""

    __slots__ = ("_cached", "_exchange", "_next", "_requests", "_restore")

    def __init__(
        self, chain: Chain, exchange: Exchange, restore: RestoreLocations | None, cached: bool
    ) -> None:
        contexts = chain.contexts(exchange.request, exchange.request_id, exchange.context.error_log)
        super().__init__(chain, chain.responses, exchange, contexts)
        self._cached = cached
        self._exchange = exchange
        self._next: Action[Exchange] | None = None
        self._restore = restore
        self.open = restore is None and not chain.responses
        self._requests: PluginFlow | None = None

    @property
    def requests(self) -> PluginFlow:
        """The content on its way; made when a phase waits or reads content."""
        flow = self._requests
        if flow is None:
            flow = self._requests = PluginFlow(
                self._request_passed, self._failed, self._hold_client, self._release_client
            )
        return flow

    def _flow(self, of_response: bool) -> PluginFlow:
        return self.responses if of_response else self.requests

    # The request.

    def passes_head(self, stage: RequestStage) -> bool:
        """Run the request head phases: True if they have let the request pass. If one waits, `stage` goes on with the
        request once they have."""
        phase = self._chain.request_head
        if phase.waits:
            self._walk(phase, False, partial(stage.head_passed, self._exchange, self))
            return False
        try:
            stopped = phase.run(self.contexts, self._depth)
        except PluginFailed as error:
            self._failed(error)
            return False
        if stopped is None:
            return True
        if isinstance(stopped, Stopped):
            self._answer(stopped)
        else:
            then = partial(stage.head_passed, self._exchange, self)
            self.requests.run(stopped, partial(self._walked, then))
        return False

    def begin_request_body(self, content: BodyPass, following: Action[Exchange] | None) -> None:
        """Read the request content from now on; `following` runs once no phase withholds it, None if none does."""
        self.requests.content = content
        self._next = following

    @property
    def takes_request_body(self) -> bool:
        return self._requests is not None and self._requests.content is not None

    @property
    def changes_request_body(self) -> bool:
        content = None if self._requests is None else self._requests.content
        return content is not None and content.changes

    def passable(self, trailers: list[Pair]) -> list[Pair]:
        return self._chain.passable(trailers)

    def request_body(self, data: bytes, end: bool) -> None:
        (self._requests or self.requests).push(data, end)

    def _request_passed(self, passed: bytes | Stopped, end: bool) -> None:
        exchange, flow = self._exchange, self._requests
        content = None if flow is None else flow.content
        if isinstance(passed, Stopped):
            self._answer(passed)
            return
        if end and flow is not None:
            flow.content = None
        if self._next is None or content is None:
            exchange.pass_body(passed, end)
        elif content.withholds and not end:
            exchange.content_withheld(content.received)
        else:
            following, self._next = self._next, None
            exchange.body, exchange.body_end = passed, end
            if content.changes:
                exchange.drop_digests()
                exchange.request.headers.remove(*DIGESTS)
                whole = end and not exchange.trailers
                exchange.request.body_length = len(passed) if whole else UNKNOWN_LENGTH
            following(exchange)

    def refuse_body(self) -> None:
        """Respond with 413: the request content is over the limit of a plugin."""
        exchange = self._exchange
        detail = "the request content is over the limit of a plugin"
        exchange.context.refused("limit_body", detail, exchange.request)
        exchange.fail(413, "limit_body")

    def _hold_client(self, end: bool) -> None:
        exchange = self._exchange
        if self.takes_request_body:
            exchange.hold_content(PLUGIN)
            if not self._awaits_member:
                exchange.limit(AT_PLUGIN, inf)

    def _release_client(self) -> None:
        exchange = self._exchange
        exchange.release_content(PLUGIN)
        if exchange.state != ENDED and not self._awaits_member:
            exchange.await_next()

    @property
    def _awaits_member(self) -> bool:
        """True while the request waits for a connection: then that is what times out."""
        attempt = self._exchange.attempt
        return attempt is not None and not attempt.over and not attempt.takes_content

    # What the member is asked for.

    def requested(self) -> None:
        """Note what the request phases have decided: the target, the variant of the cache, and what is asked of the
        member."""
        exchange, chain = self._exchange, self._chain
        exchange.target = exchange.request.target
        exchange.request.cache_mark = b"".join(
            [_mark(context) for context in self.contexts if context.cache_mark]
        )
        if self._transforms:
            ask_for_identity(exchange.request)
            if not self._cached or chain.transforms(chain.after_cache, self.contexts, self._depth):
                self.ask_for_whole()

    def note_lines(self) -> None:
        """Have the response come here if a request phase has fields for it."""
        for context in self.contexts:
            if context.response_lines:
                self.open = False

    def ask_for_whole(self) -> None:
        headers = self._exchange.request.headers
        if self._transforms and b"range" in headers:
            self.asked_range, self.if_range = headers.joined(b"range"), headers.joined(b"if-range")
            headers.remove(b"range", b"if-range")
            self._exchange.request.proxy_fields.pop(b"range", None)

    @property
    def fetches_whole(self) -> bool:
        chain = self._chain
        return self._cached and chain.transforms(chain.before_cache, self.contexts, self._depth)

    def fetching(self, fetch: Intercepted) -> Interception | None:
        if not self._cached:
            return None
        return FetchRun(self._chain, fetch, [context.for_fetch() for context in self.contexts])

    # The response.

    def response(self, response: Response, body: bytes, end: bool) -> None:
        chain = self._chain
        stored = self._cached and self._exchange.cache not in _NOT_CACHED
        self._phases = chain.after_cache if stored else chain.responses
        if self._restore is not None:
            self._restore(self._exchange, response)
        super().response(response, body, end)

    def error_head(self, response: Response) -> None:
        for call in self._chain.error_head:
            if call.index < self._depth:
                context = self.contexts[call.index]
                context.response = response
                try:
                    result = call.run(context)
                except PluginFailed:
                    continue  # counted and logged; the page is an error already
                if isinstance(result, CoroutineType):
                    result.close()

    def _answer(self, stopped: Stopped) -> None:
        exchange, answer = self._exchange, stopped.response
        if exchange.state >= RESPONDING:
            exchange.fail(answer.status, answer.end_reason)
            return
        if answer.abort:
            exchange.break_off(answer.end_reason)
            return
        if self._requests is not None:
            self._requests.stop()
        self.stop()
        self._depth = stopped.index
        self._restore = None
        self.note_lines()
        if exchange.attempt is not None:
            exchange.attempt.cancel()
        exchange.end_reason = answer.end_reason
        head, content = answer.head(), answer.content
        if answer.error_page:
            head, content = exchange.error(answer.status, "")
            lines = answer.lines()
            head.headers.remove(*[name.lower() for name, _ in lines])
            for name, value in lines:
                head.headers.add(name, value)
        exchange.respond(head, content, True)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, BodyTooLarge):
            self.refuse_body()
        else:
            super()._failed(error)

    def ended(self) -> None:
        """Cancel what is awaited, run the log phases, release the plugins."""
        if self._requests is not None:
            self._requests.end()
        self.end_responses()
        self._unpacker = None
        calls = self._chain.log
        if not calls:
            self._chain.leave()
            return
        if any(call.waits for call in calls):
            task = asyncio.get_running_loop().create_task(self._log(calls))
            _log_tasks.add(task)
            task.add_done_callback(_log_tasks.discard)
            return
        for call in calls:
            _unheeded(call, self.contexts[call.index], self._exchange)
        self._chain.leave()

    async def _log(self, calls: tuple[PhaseCall, ...]) -> None:
        try:
            for call in calls:
                try:
                    await call.wait(self.contexts[call.index], self._exchange)
                except PluginFailed:
                    pass  # counted and logged; no caller waits for a reply any more
        finally:
            self._chain.leave()


def _unheeded(call: PhaseCall, context: Context, exchange: Exchange) -> None:
    try:
        call.run_with(context, exchange)
    except PluginFailed:
        pass  # as above


def _mark(context: Context) -> bytes:
    return b"%b=%d:%b;" % (context.plugin.encode(), len(context.cache_mark), context.cache_mark)
