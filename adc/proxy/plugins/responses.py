"""A response among the plugins of its route."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from math import inf

from adc.compression.decoders import decoder
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.plugin.body import BodyPass
from adc.plugin.chain import Chain, HeadPhase, ResponsePhases
from adc.plugin.context import Context
from adc.plugin.phase_call import Stopped
from adc.plugin.transforming import coding_of, restate_unchanged
from adc.plugin.use import PluginFailed
from adc.proxy.body_filter import BrokenContent
from adc.proxy.gate import CLIENT, PLUGIN
from adc.proxy.phases import IDLE
from adc.proxy.phases import PLUGIN as AT_PLUGIN
from adc.proxy.plugins.flow import PluginFlow
from adc.proxy.plugins.interception import Intercepted, Interception
from adc.proxy.stages.unpack import Unpacker
from adc.proxy.states import ENDED, SWITCHED

_NOT_MODIFIED = 304
_NO_CONTENT = frozenset({204, _NOT_MODIFIED})


class ResponseRun(Interception):
    """Runs response phases for a request, the `sink`. Only the first `_depth` plugins see the response: a plugin that
    responds is the last that was asked, and those after it never knew of the request. `responses` is the content on its
    way through the plugins; `_unpacker` decodes it before, if it comes coded and a plugin replaces it.
    """

    __slots__ = (
        "_chain",
        "_coding",
        "_depth",
        "_head",
        "_phases",
        "_responses",
        "_sink",
        "_unpacker",
        "contexts",
    )

    def __init__(
        self, chain: Chain, phases: ResponsePhases, sink: Intercepted, contexts: list[Context]
    ) -> None:
        chain.enter()
        self._chain = chain
        self._phases = phases
        self._depth = chain.depth
        self._sink = sink
        self._head: Response | None = None
        self._coding = b""
        self._unpacker: Unpacker | None = None
        self.contexts = contexts
        self.asked_range: bytes | None = None
        self.if_range: bytes | None = None
        self.changes = False
        self.open = False
        self._responses: PluginFlow | None = None

    @property
    def responses(self) -> PluginFlow:
        """The content on its way; made when a phase waits or reads content."""
        flow = self._responses
        if flow is None:
            flow = self._responses = PluginFlow(
                self._response_passed, self._failed, self._hold_member, self._release_member
            )
        return flow

    # The head.

    def response(self, response: Response, body: bytes, end: bool) -> None:
        phases = self._phases
        self.stop()
        self._head = response
        if phases.transforming:
            self._coding = coding_of(response)
        for index, context in enumerate(self.contexts):
            context.response = response
            if context.response_lines and index < self._depth:
                response.headers.extend(context.response_lines)
        if not phases:
            self.open = True
            self._sink.respond(response, body, end)
        elif phases.body or phases.head.waits or phases.transforming:
            self.responses.push(body, end)
            self._walk(phases.head, True, self._response_headed)
        else:
            self._walk_head(phases.head, response, body, end)

    def _walk_head(self, phase: HeadPhase, response: Response, body: bytes, end: bool) -> None:
        """Run head phases that usually do not wait; no phase reads the content."""
        try:
            stopped = phase.run(self.contexts, self._depth)
        except PluginFailed as error:
            self._failed(error)
            return
        if stopped is None:
            self.open = True
            self._sink.respond(response, body, end)
        elif isinstance(stopped, Stopped):
            self._answer(stopped)
        else:
            self.responses.push(body, end)
            self.responses.run(stopped, partial(self._walked, self._response_headed))

    def _response_headed(self) -> None:
        sink, head = self._sink, self._head
        if head is None:
            return
        body, end = self.responses.take()
        if head.status == _NOT_MODIFIED and self._phases.transforming:
            restate_unchanged(head, sink.request.headers.joined(b"if-none-match"))
        content = self.responses.content = self._response_content(head, end and not body)
        if content is None:
            self.open = True
            sink.respond(head, body, end)
        elif self._coding and self._transforms:
            self._unpack(self._coding, body, end)
        else:
            self.responses.push(body, end)  # also without content, for phases that inspect its beginning
        if not (sink.state == ENDED or self.responses.busy):
            self._release_member()

    @property
    def _transforms(self) -> bool:
        """True if a phase replaces the content."""
        return self._chain.transforms(self._phases, self.contexts, self._depth)

    def _response_content(self, head: Response, empty: bool) -> BodyPass | None:
        """Return the phases that read this content. If they may change it, its length is unknown until its end, also
        in the response to a HEAD."""
        chain, calls = self._chain, self._phases.body
        if not calls:
            return None
        no_content = self._sink.request.method == "HEAD" or head.status in _NO_CONTENT
        content = chain.body(calls, self.contexts, self._depth)
        if content is not None and content.changes and (no_content or not empty):
            self.changes = not no_content
            if head.body_length:
                head.body_length = UNKNOWN_LENGTH
        if empty or no_content:
            return chain.beginning(calls, self.contexts, self._depth)
        return content

    # The content.

    @property
    def takes_response_body(self) -> bool:
        """True if a phase reads the content, or it waits for the head to pass; never for a tunnel."""
        flow = self._responses
        if (flow is not None and flow.content is not None) or self._unpacker is not None:
            return True
        return not (self.open or self._sink.state == SWITCHED)

    def response_body(self, data: bytes, end: bool) -> None:
        if self._unpacker is None:
            (self._responses or self.responses).push(data, end)
        else:
            self._unpacker.push(self, data, end)

    def _response_passed(self, passed: bytes | Stopped, end: bool) -> None:
        sink, flow, head = self._sink, self._responses, self._head
        content = None if flow is None else flow.content
        if isinstance(passed, Stopped):
            self._answer(passed)
        elif self.open:
            sink.deliver(passed, end)
        elif head is not None and content is not None:
            if content.withholds and not end:
                sink.limit(IDLE, sink.timeouts.idle)
                return
            if content.changes or self.changes:
                self.changes = True
                whole = end and not sink.response_trailers
                head.body_length = len(passed) if whole else UNKNOWN_LENGTH
            self.open = True
            sink.respond(head, passed, end)

    def stop(self) -> None:
        """Drop the content that is on its way through the plugins."""
        if self._responses is not None:
            self._responses.stop()
        self._unpacker = None

    def _hold_member(self, end: bool) -> None:
        self._sink.hold_response(PLUGIN)
        self._sink.limit(AT_PLUGIN, inf)

    def _release_member(self) -> None:
        sink = self._sink
        sink.release_response(PLUGIN)
        if sink.state != ENDED:
            sink.await_next()

    # Content that comes coded: this run is what the `Unpacker` decodes for.

    def _unpack(self, coding: bytes, body: bytes, end: bool) -> None:
        found = decoder(coding)
        if found is None:
            return
        self._unpacker = Unpacker(found)
        self._unpacker.push(self, body, end)

    @property
    def state(self) -> int:
        return self._sink.state

    @property
    def response_holds(self) -> int:
        """The reasons to stop; a phase that awaits something counts as a slow client."""
        holds = self._sink.response_holds
        return holds | CLIENT if holds & PLUGIN else holds

    def hold_response(self, reason: int) -> None:
        self._sink.hold_response(reason)

    def release_response(self, reasons: int) -> None:
        self._sink.release_response(reasons)

    def pass_on(self, data: bytes, end: bool) -> None:
        flow = self._responses
        if self.open and (flow is None or flow.content is None):
            self._sink.deliver(data, end)
        else:
            self.responses.push(data, end)

    def content_broke(self, broken: BrokenContent) -> None:
        self._sink.content_broke(broken)

    def released(self) -> None:
        if self._unpacker is not None:
            self._unpacker.writable(self)

    # The outcomes of a phase.

    def _flow(self, of_response: bool) -> PluginFlow:
        """Return the flow of the direction."""
        return self.responses

    def _walk(self, phase: HeadPhase, of_response: bool, then: Callable[[], None]) -> None:
        if phase.waits:
            self._flow(of_response).run(phase.wait(self.contexts, self._depth), partial(self._walked, then))
            return
        try:
            stopped = phase.run(self.contexts, self._depth)
        except PluginFailed as error:
            self._failed(error)
            return
        if stopped is None:
            then()
        elif isinstance(stopped, Stopped):
            self._answer(stopped)
        else:
            self._flow(of_response).run(stopped, partial(self._walked, then))

    def _walked(self, then: Callable[[], None], stopped: Stopped | None) -> None:
        if stopped is None:
            then()
        else:
            self._answer(stopped)

    @abstractmethod
    def _answer(self, stopped: Stopped) -> None:
        """Send a plugin's response instead, past the plugins before it."""

    def end_responses(self) -> None:
        """Stop the content for good."""
        if self._responses is not None:
            self._responses.end()

    def _failed(self, error: BaseException) -> None:
        sink = self._sink
        if isinstance(error, PluginFailed):
            sink.fail(error.status, "plugin_error", "proxy_internal_error")
        else:
            sink.context.error_log.error("plugin_defect", route=self._chain.route, detail=repr(error))
            sink.fail(500, "internal_error", "proxy_internal_error")
