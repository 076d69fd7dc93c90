"""One exchange among the plugins of its route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from types import CoroutineType

from adc.http.message import UNKNOWN_LENGTH, Response
from adc.plugin.body import BodyPass, BodyTooLarge
from adc.plugin.chain import Chain, HeadPhase
from adc.plugin.context import Context
from adc.plugin.phase_call import PhaseCall, Stopped
from adc.plugin.use import PluginFailed
from adc.proxy.exchange import Exchange
from adc.proxy.gate import PLUGIN
from adc.proxy.phases import IDLE
from adc.proxy.phases import PLUGIN as AT_PLUGIN
from adc.proxy.pipeline import Action
from adc.proxy.plugins.flow import PluginFlow
from adc.proxy.plugins.interception import Interception
from adc.proxy.stages.locations import RestoreLocations
from adc.proxy.states import ENDED, RESPONDING, SWITCHED

_NO_CONTENT = frozenset({204, 304})
_log_tasks: set[asyncio.Task[None]] = set()
"""Log phases outlive their exchange; the loop alone would not keep them."""


class PluginRun(Interception):
    """Runs the phases for one exchange. Only the first `_depth` plugins see the response: a plugin that responds is the
    last that was asked, and those after it never knew of the request. `requests` and `responses` are the content of
    either direction on its way through the plugins.
    """

    __slots__ = (
        "_chain",
        "_depth",
        "_exchange",
        "_head",
        "_next",
        "_restore",
        "contexts",
        "requests",
        "responses",
    )

    def __init__(self, chain: Chain, exchange: Exchange, restore: RestoreLocations | None) -> None:
        chain.enter()
        self._chain = chain
        self._depth = chain.depth
        self._exchange = exchange
        self._next: Action[Exchange] | None = None
        self._head: Response | None = None
        self.contexts = chain.contexts(exchange.request, exchange.request_id, exchange.context.error_log)
        self.changes = False
        self._restore = restore
        self.open = restore is None and not chain.sees_responses
        self.requests = PluginFlow(
            self._request_passed, self._failed, self._hold_client, self._release_client
        )
        self.responses = PluginFlow(
            self._response_passed, self._failed, self._hold_member, self._release_member
        )

    # The request.

    def request_head(self, then: Callable[[], None]) -> None:
        """Run the request head phases; `then` follows unless a plugin responds or fails."""
        self._walk(self._chain.request_head, self.requests, then)

    def begin_request_body(self, content: BodyPass, following: Action[Exchange] | None) -> None:
        """Read the request content from now on; `following` runs once no phase withholds it, None if none does."""
        self.requests.content = content
        self._next = following

    @property
    def takes_request_body(self) -> bool:
        return self.requests.content is not None

    @property
    def changes_request_body(self) -> bool:
        content = self.requests.content
        return content is not None and content.changes

    def request_body(self, data: bytes, end: bool) -> None:
        self.requests.push(data, end)

    def _request_passed(self, passed: bytes | Stopped, end: bool) -> None:
        exchange, content = self._exchange, self.requests.content
        if isinstance(passed, Stopped):
            self._answer(passed)
            return
        if end:
            self.requests.content = None
        if self._next is None or content is None:
            exchange.pass_body(passed, end)
        elif content.withholds and not end:
            exchange.content_withheld(content.received)
        else:
            following, self._next = self._next, None
            exchange.body, exchange.body_end = passed, end
            if content.changes:
                exchange.drop_digests()
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
        if self.requests.content is not None:
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

    # The response.

    @property
    def takes_response_body(self) -> bool:
        """True if a phase reads the content, or it waits for the head to pass; never for a tunnel."""
        return self.responses.content is not None or not (self.open or self._exchange.state == SWITCHED)

    def response_body(self, data: bytes, end: bool) -> None:
        self.responses.push(data, end)

    def response(self, response: Response, body: bytes, end: bool) -> None:
        self.responses.stop()
        self._head = response
        if self._restore is not None:
            self._restore(self._exchange, response)
        for context in self.contexts:
            context.response = response
        self.responses.push(body, end)
        self._walk(self._chain.response_head, self.responses, self._response_headed)

    def _response_headed(self) -> None:
        exchange, head = self._exchange, self._head
        if head is None:
            return
        body, end = self.responses.take()
        content = self.responses.content = self._response_content(head, end and not body)
        if content is not None:
            self.responses.push(body, end)  # also without content, for phases that inspect its beginning
        else:
            self.open = True
            exchange.respond(head, body, end)
        if not (exchange.state == ENDED or self.responses.busy):
            self._release_member()

    def _response_content(self, head: Response, empty: bool) -> BodyPass | None:
        """Return the phases that read this content. If they may change it, its length is unknown until its end."""
        chain, calls = self._chain, self._chain.response_body
        if not calls:
            return None
        no_content = self._exchange.request.method == "HEAD" or head.status in _NO_CONTENT
        content = None if empty else chain.body(calls, self.contexts, self._depth)
        if content is not None and content.changes:
            head.body_length = UNKNOWN_LENGTH
            self.changes = not no_content
        if empty or no_content:
            return chain.beginning(calls, self.contexts, self._depth)
        return content

    def _response_passed(self, passed: bytes | Stopped, end: bool) -> None:
        exchange, content, head = self._exchange, self.responses.content, self._head
        if isinstance(passed, Stopped):
            self._answer(passed)
        elif self.open:
            exchange.deliver(passed, end)
        elif head is not None and content is not None:
            if content.withholds and not end:
                exchange.limit(IDLE, exchange.timeouts.idle)
                return
            if content.changes:
                self.changes = True
                whole = end and not exchange.response_trailers
                head.body_length = len(passed) if whole else UNKNOWN_LENGTH
            self.open = True
            exchange.respond(head, passed, end)

    def _hold_member(self, end: bool) -> None:
        self._exchange.hold_response(PLUGIN)
        self._exchange.limit(AT_PLUGIN, inf)

    def _release_member(self) -> None:
        exchange = self._exchange
        exchange.release_response(PLUGIN)
        if exchange.state != ENDED:
            exchange.await_next()

    # The outcomes of a phase.

    def _walk(self, phase: HeadPhase, flow: PluginFlow, then: Callable[[], None]) -> None:
        def walked(stopped: Stopped | None) -> None:
            if stopped is None:
                then()
            else:
                self._answer(stopped)

        if phase.waits:
            flow.run(phase.wait(self.contexts, self._depth), walked)
            return
        try:
            stopped = phase.run(self.contexts, self._depth)
        except PluginFailed as error:
            self._failed(error)
            return
        if stopped is None or isinstance(stopped, Stopped):
            walked(stopped)
        else:
            flow.run(stopped, walked)

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
        """Send a plugin's response instead, past the plugins before it."""
        exchange, answer = self._exchange, stopped.response
        if exchange.state >= RESPONDING:
            exchange.fail(answer.status, answer.end_reason)
            return
        if answer.abort:
            exchange.break_off(answer.end_reason)
            return
        self.requests.stop()
        self.responses.stop()
        self._depth = stopped.index
        self._restore = None
        if exchange.attempt is not None:
            exchange.attempt.cancel()
        exchange.end_reason = answer.end_reason
        head, content = answer.head(), answer.content
        if answer.error_page:
            head, content = exchange.error(answer.status, "")
            lines = answer.lines()
            head.headers.remove(*(name.lower() for name, _ in lines))
            for name, value in lines:
                head.headers.add(name, value)
        exchange.respond(head, content, True)

    def _failed(self, error: BaseException) -> None:
        exchange = self._exchange
        if isinstance(error, BodyTooLarge):
            self.refuse_body()
        elif isinstance(error, PluginFailed):
            exchange.fail(error.status, "plugin_error", "proxy_internal_error")
        else:
            exchange.context.error_log.error("plugin_defect", route=self._chain.route, detail=repr(error))
            exchange.fail(500, "internal_error", "proxy_internal_error")

    def ended(self) -> None:
        """Cancel what is awaited, run the log phases, release the plugins."""
        self.requests.end()
        self.responses.end()
        calls = self._chain.log
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
        call.run(context, exchange)
    except PluginFailed:
        pass  # as above
