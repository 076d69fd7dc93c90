"""One exchange among the plugins of its route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from adc.http.message import UNKNOWN_LENGTH, Response
from adc.plugin.body import BodyPass, BodyTooLarge
from adc.plugin.chain import Chain, HeadPhase
from adc.plugin.context import Context
from adc.plugin.phase_call import PhaseCall, Stopped
from adc.plugin.use import PluginFailed
from adc.proxy.pipeline import Action
from adc.proxy.plugin_flow import PluginFlow

if TYPE_CHECKING:
    from adc.codecs.interface import MemberConnection
    from adc.proxy.exchange import Exchange

_NO_CONTENT = frozenset({204, 304})
_log_tasks: set[asyncio.Task[None]] = set()
"""Log phases outlive their exchange; the loop alone would not keep them."""


class PluginRun:
    """Takes one exchange through the phases. Only the first `_depth` plugins see the response: one that
    answers is the last that was asked, and those after it never knew of the request.

    The exchange gives request content to `requests` while that has a `content`, the response head to
    `response` until it is `open`, and response content to `responses` while `takes_response_body`.
    """

    __slots__ = (
        "_chain",
        "_depth",
        "_exchange",
        "_head",
        "_next",
        "client_blocked",
        "contexts",
        "member_blocked",
        "open",
        "requests",
        "responses",
    )

    def __init__(self, chain: Chain, exchange: Exchange) -> None:
        chain.enter()
        self._chain = chain
        self._depth = chain.depth
        self._exchange = exchange
        self._next: Action | None = None
        self._head: Response | None = None
        self.contexts = chain.contexts(exchange.request, exchange.request_id, exchange.service.error_log)
        self.open = not chain.sees_responses
        self.client_blocked = False
        self.member_blocked = False
        self.requests = PluginFlow(
            self._request_passed, self._failed, self._hold_client, self._release_client
        )
        self.responses = PluginFlow(
            self._response_passed, self._failed, self._hold_member, self._release_member
        )

    # The request.

    def request_head(self, then: Callable[[], None]) -> None:
        """Run the request head phases; `then` follows unless a plugin answers or fails."""
        self._walk(self._chain.request_head, self.requests, then)

    def begin_request_body(self, content: BodyPass, following: Action) -> None:
        """Content will come through `requests`; with content in whole, `following` runs once it is there."""
        self.requests.content = content
        self._next = following

    def _request_passed(self, passed: bytes | Stopped, end: bool) -> None:
        exchange, content = self._exchange, self.requests.content
        if isinstance(passed, Stopped):
            self._answer(passed)
            return
        if end:
            self.requests.content = None
        if content is None or not content.whole:
            exchange.pass_body(passed, end)
        elif not end:
            exchange.service.await_body(exchange, len(passed))
        elif self._next is not None:
            exchange.body, exchange.body_end = passed, True
            exchange.request.body_length = len(passed)
            self._next(exchange)

    def refuse_body(self) -> None:
        """Request content is over what a plugin takes."""
        exchange = self._exchange
        detail = "the request content is over the limit of a plugin"
        exchange.service.refused("limit_body", detail, exchange.request)
        exchange.fail(413, "limit_body")

    def _hold_client(self, end: bool) -> None:
        if self.requests.content is not None:
            if not end:
                self._exchange.stream.pause_reading()
            self._exchange.limit("plugin", inf)

    def _release_client(self) -> None:
        exchange, connection = self._exchange, self._connection
        if not self.member_blocked and (connection is not None or not exchange.holds_enough):
            exchange.stream.resume_reading()
        if exchange.attempt is not None and connection is None and exchange.pipeline is not None:
            exchange.limit("connect", exchange.pipeline.timeouts.connect)
        else:
            exchange.await_next()

    # The response.

    @property
    def takes_response_body(self) -> bool:
        """True if a phase sees the content, or it waits for the head to pass; never for a tunnel."""
        return self.responses.content is not None or not (self.open or self._exchange.switched)

    def response(self, response: Response, body: bytes, end: bool) -> None:
        """A final response head, of a first try or of a later one, and what came with it."""
        self.responses.stop()
        self._head = response
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
            self.responses.push(body, end)
        else:
            self.open = True
            exchange.respond(head, body, end)
        if not (exchange.finished_at or self.responses.busy):
            self._release_member()

    def _response_content(self, head: Response, empty: bool) -> BodyPass | None:
        """The phases that see this content. Once they may change it, nobody knows its length before its
        end."""
        calls = self._chain.response_body
        content = self._chain.body(calls, self.contexts, self._depth) if calls and not empty else None
        if content is None:
            return None
        head.body_length = UNKNOWN_LENGTH
        no_content = self._exchange.request.method == "HEAD" or head.status in _NO_CONTENT
        return None if no_content else content

    def _response_passed(self, passed: bytes | Stopped, end: bool) -> None:
        exchange, content, head = self._exchange, self.responses.content, self._head
        if isinstance(passed, Stopped):
            self._answer(passed)
        elif self.open:
            exchange.deliver(passed, end)
        elif head is not None and content is not None:
            if content.whole and not end:
                exchange.limit("idle", exchange.pipeline_idle)
                return
            if end:
                head.body_length = len(passed)
            self.open = True
            exchange.respond(head, passed, end)

    def _hold_member(self, end: bool) -> None:
        connection = self._connection
        if connection is not None:
            connection.pause_reading()
        self._exchange.limit("plugin", inf)

    def _release_member(self) -> None:
        exchange, connection = self._exchange, self._connection
        if self.client_blocked:
            exchange.limit("client_write", exchange.service.client_write_timeout)
            return
        unpacker = exchange.unpacker
        if connection is not None and (unpacker is None or not unpacker.pending):
            connection.resume_reading()
        exchange.limit("idle", exchange.pipeline_idle)

    @property
    def _connection(self) -> MemberConnection | None:
        attempt = self._exchange.attempt
        return None if attempt is None or attempt.over else attempt.connection

    # What every phase may come to.

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
        walked(stopped)

    def _answer(self, stopped: Stopped) -> None:
        """A plugin's response goes to the client instead, past the plugins before it."""
        exchange, answer = self._exchange, stopped.response
        if exchange.head_sent:
            exchange.fail(answer.status, answer.end_reason)
            return
        self.requests.stop()
        self.responses.stop()
        self._depth = stopped.index
        if exchange.attempt is not None:
            exchange.attempt.cancel()
        exchange.end_reason = answer.end_reason
        exchange.respond(answer.head(), answer.content, True)

    def _failed(self, error: BaseException) -> None:
        exchange = self._exchange
        if isinstance(error, BodyTooLarge):
            self.refuse_body()
        elif isinstance(error, PluginFailed):
            exchange.fail(error.status, "plugin_error", "proxy_internal_error")
        else:
            exchange.service.error_log.error("plugin_defect", route=self._chain.route, detail=repr(error))
            exchange.fail(500, "internal_error", "proxy_internal_error")

    def ended(self) -> None:
        """The exchange is over: end what is awaited, run the log phases, let the plugins go."""
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
                    pass  # counted and logged; nobody waits for an answer any more
        finally:
            self._chain.leave()


def _unheeded(call: PhaseCall, context: Context, exchange: Exchange) -> None:
    try:
        call.run(context, exchange)
    except PluginFailed:
        pass  # as above
