"""One use of a plugin, taken through exchanges as the proxy would."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from adc.compression.beginning import decode_beginning
from adc.compression.decoders import MAX_BYTES
from adc.http.message import Request
from adc.http.message import Response as Head
from adc.plugin.base import Plugin
from adc.plugin.body import BodyTooLarge
from adc.plugin.chain import Chain
from adc.plugin.context import Context
from adc.plugin.options import make_use
from adc.plugin.phase_call import PhaseCall, Stopped
from adc.plugin.response import Response
from adc.plugin.switch import switches_of, turn
from adc.plugin.table import Table
from adc.plugin.testkit.http import FakeHttp
from adc.plugin.testkit.messages import Content, answer, request
from adc.plugin.testkit.outcome import Message, Messages, Outcome, Record
from adc.plugin.testkit.processes import FakeProcesses
from adc.plugin.testkit.services import FakeServices
from adc.plugin.transforming import coding_of
from adc.plugin.use import PluginFailed, PluginUse

_PATIENCE = 5.0
_POLL = 0.001
_NO_CONTENT = frozenset({204, 304})


class Trial:
    """One use of a plugin. `options` are those of the configuration, including `on_error` and other common ones;
    relative paths in them start at `folder`.

    Raises `OptionErrors` for options that a configuration could not have. Enter it (`async with`) to start the plugin
    and to close it at the end; PluginStartFailed if it does not start. Entering it again is a reload: a new instance
    gets the tables and counters of the previous one.
    """

    def __init__(
        self,
        plugin: type[Plugin[Any]],
        options: Mapping[str, Any] | None = None,
        *,
        folder: Path | str = "",
    ) -> None:
        self._plugin = plugin
        self._options = options or {}
        self._folder = folder
        self._services = FakeServices()
        self._use = self._made()
        self._chain = Chain("test", [self._use])
        self._started = False

    def _made(self) -> PluginUse:
        return make_use(self._plugin.name or self._plugin.__name__, self._plugin, self._options, self._folder)

    async def __aenter__(self) -> Self:
        before = self._use
        if self._started:
            self._use = self._made()
            self._chain = Chain("test", [self._use])
        self._started = True
        await self._chain.start(self._services)
        if before is not self._use:
            self._use.adopt(before)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        problems = await self._chain.close()
        if problems and error is None:
            raise AssertionError("; ".join(problems))

    @property
    def plugin(self) -> Plugin[Any]:
        """The plugin's instance."""
        return self._use.plugin

    @property
    def counters(self) -> Mapping[str, int]:
        """The plugin's counters by name."""
        return {name: counter.value for name, counter in self._use.declared.counters.items()}

    @property
    def gauges(self) -> Mapping[str, float]:
        """The plugin's gauges by name."""
        return {name: gauge.value for name, gauge in self._use.declared.gauges.items()}

    @property
    def keyed_counters(self) -> Mapping[str, Mapping[str, int]]:
        """The plugin's keyed counters by name, each by key."""
        return {name: dict(counter.values) for name, counter in self._use.declared.keyed.items()}

    @property
    def log_files(self) -> Mapping[str, Sequence[str]]:
        """The lines of the plugin's log files by path."""
        return {path: log.lines for path, log in self._services.files.items()}

    @property
    def tables(self) -> Mapping[str, Table]:
        """The plugin's tables by name."""
        return {name: declared.table for name, declared in self._use.declared.tables.items()}

    @property
    def errors(self) -> Mapping[tuple[str, str], int]:
        """The number of failures by phase (`background` for spawned tasks) and reason."""
        return self._use.errors

    @property
    def messages(self) -> Sequence[Message]:
        """The lines that `Host.warn` and failed tasks wrote to the error log."""
        return self._services.log.lines

    @property
    def http(self) -> FakeHttp:
        """The servers that the plugin's HTTP clients reach: set their replies, look at the requests."""
        return self._services.http

    @property
    def processes(self) -> FakeProcesses:
        """The pools of processes of the plugin, which run jobs in this process."""
        return self._services.pool

    def change_secret(self, *secrets: bytes) -> None:
        """Give the node other secrets from now on: the first signs, all verify."""
        self._services.secrets.replace(secrets)

    def take_store_down(self, down: bool = True) -> None:
        """Have the stores behind the tables fail, or work again."""
        for store in self._services.stores.values():
            store.down = down

    def turn(self, switch: str, on: bool = True) -> None:
        """Turn a switch, as an operator does."""
        turn(switches_of(self._services.store("cluster")), switch, on, self._services.wall())

    async def settle(self) -> None:
        """Let spawned tasks run until each has ended or sleeps (`Host.sleep`). Raises TimeoutError after 5 seconds."""
        async with asyncio.timeout(_PATIENCE):
            await asyncio.sleep(0)
            while len(tasks := self._use.tasks) > self._services.sleeping:
                await asyncio.wait(tasks, timeout=_POLL)

    async def pass_time(self, seconds: float) -> None:
        """Move the plugin's clock on by `seconds`, letting tasks run that wake up on the way."""
        left = seconds
        await self.settle()
        while (due := self._services.next_due) is not None and due <= left:
            self._services.advance(due)
            left -= due
            await self.settle()
        self._services.advance(left)
        await self.settle()

    def run(
        self,
        head: Request | None = None,
        response: tuple[Head, Content] | None = None,
        *,
        body: Content = b"",
    ) -> Outcome:
        """Start the plugin, run one exchange and close it, where no event loop runs."""

        async def life() -> Outcome:
            async with self:
                return await self.exchange(head, response, body=body)

        return asyncio.run(life())

    async def exchange(
        self,
        head: Request | None = None,
        response: tuple[Head, Content] | None = None,
        *,
        body: Content = b"",
    ) -> Outcome:
        """Run one exchange: `body` is the content of the request, as one chunk or as several; `response` is the
        member's, and its content may be several chunks too. Content that comes coded is decoded for a plugin that
        transforms."""
        head = head or request()
        messages = Messages()
        contexts = self._chain.contexts(head, "test", messages)
        outcome = await self._answered(head, contexts, response or answer(), body)
        outcome.messages = messages.lines
        outcome.cache_mark = contexts[0].cache_mark
        for call in self._chain.log:
            try:
                await call.wait(contexts[0], Record(outcome))
            except PluginFailed:
                pass  # counted; no client waits for a log phase
        return outcome

    async def _answered(
        self,
        head: Request,
        contexts: list[Context],
        response: tuple[Head, Content],
        body: Content,
    ) -> Outcome:
        chain = self._chain
        try:
            stopped = await chain.request_head.wait(contexts, 1)
            chunks = [body] if isinstance(body, bytes) else list(body)
            content = b"".join(chunks)
            if stopped is None:
                content, stopped = await self._pass(chain.request_body, contexts, chunks if content else [])
            if stopped is not None:
                return _stopped(head, stopped.response)
            return await self._response(head, contexts, response, content)
        except BodyTooLarge:
            return _stopped(head, Response(413))
        except PluginFailed as failed:
            return _stopped(head, Response(failed.status))

    async def _response(
        self, head: Request, contexts: list[Context], response: tuple[Head, Content], content: bytes
    ) -> Outcome:
        chain, (answered, body) = self._chain, response
        contexts[0].response = answered
        answered.headers.extend(contexts[0].response_lines)
        coding = coding_of(answered)
        stopped = await chain.responses.head.wait(contexts, 1)
        chunks = [body] if isinstance(body, bytes) else list(body)
        passed = b"".join(chunks)
        if stopped is None:
            if coding and chain.transforms(chain.responses, contexts, 1):
                chunks = [decode_beginning(passed, coding, MAX_BYTES).content]
            if not passed or head.method == "HEAD" or answered.status in _NO_CONTENT:
                chunks = []
            passed, stopped = await self._pass(chain.responses.body, contexts, chunks)
        if stopped is not None:
            outcome = _stopped(head, stopped.response)
            outcome.request_body = content
            return outcome
        return Outcome(head, answered, passed, content)

    async def _pass(
        self, calls: Sequence[PhaseCall], contexts: list[Context], chunks: Sequence[bytes]
    ) -> tuple[bytes, Stopped | None]:
        """Return the content after `calls`, or the plugin that stopped the exchange in them. No chunks: there is no
        content."""
        chain = self._chain
        content = chain.body(calls, contexts, 1) if chunks else chain.beginning(calls, contexts, 1)
        if content is None:
            return b"".join(chunks), None
        out = b""
        for number, chunk in enumerate(chunks or [b""], 1):
            passed = await content.wait(chunk, number >= len(chunks))
            if isinstance(passed, Stopped):
                return b"", passed
            out += passed
        return out, None


def _stopped(head: Request, response: Response) -> Outcome:
    return Outcome(head, response.head(), response.content, stopped=True)
