"""Run a plugin's phases without a server, as the proxy would.

trial = Trial(Hello, {"greeting": "hi"})
outcome = trial.run(request(target="/a"), answer(body=b"hello"))
assert outcome.response.headers.get(b"x-hello") == b"hi"
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Request
from adc.http.message import Response as Head
from adc.plugin.base import Plugin
from adc.plugin.body import BodyTooLarge
from adc.plugin.chain import Chain
from adc.plugin.context import Context
from adc.plugin.options import make_use
from adc.plugin.response import Response
from adc.plugin.steps import PluginFailed, Step, Stopped
from adc.telemetry.record import COMPLETE

Fields = Mapping[str, str] | Sequence[tuple[str, str]]


def request(
    method: str = "GET",
    target: str = "/",
    headers: Fields = (),
    *,
    host: str = "www.example.com",
    client: str = "192.0.2.1",
    body_length: int = UNKNOWN_LENGTH,
) -> Request:
    """A request head as a client might send it."""
    path, _, query = target.partition("?")
    fields = Headers([(b"Host", host.encode()), *_pairs(headers)])
    return Request(method, target, path, query, host, host, fields, None, body_length, client=Client(client))


def answer(status: int = 200, headers: Fields = (), body: bytes = b"") -> tuple[Head, bytes]:
    """A response as a member might give it."""
    return Head(status, Headers(_pairs(headers)), b"", len(body)), body


def _pairs(fields: Fields) -> list[tuple[bytes, bytes]]:
    items = fields.items() if isinstance(fields, Mapping) else fields
    return [(name.encode(), value.encode("latin-1")) for name, value in items]


@dataclass
class Outcome:
    """What came of an exchange. `request_body` is what the member got, None if it was not asked; `stopped`
    says that the plugin answered by itself; `messages` are the lines for the error log.
    """

    request: Request
    response: Head
    body: bytes
    request_body: bytes | None = None
    stopped: bool = False
    messages: list[Mapping[str, object]] = field(default_factory=list)


class _Record:
    """The `LogRecord` of a trial."""

    attempts = 1
    bytes_in = 0
    cache = ""
    elapsed = 0.001
    listener = "test"
    member = ""
    pool = ""
    request_id = "test"
    route = "test"
    started = 0.0
    upstream_elapsed = 0.001

    def __init__(self, outcome: Outcome) -> None:
        self.request = outcome.request
        self.client = outcome.request.source
        self.status = outcome.response.status
        self.bytes_out = len(outcome.body)
        self.end_reason = COMPLETE


class _Messages:
    def __init__(self) -> None:
        self.lines: list[Mapping[str, object]] = []

    def warn(self, message: str, /, **fields: object) -> None:
        self.lines.append(fields)


class Trial:
    """One use of a plugin. `options` are those of the configuration, `on_error` and the like among them.

    Raises `adc.plugin.options.OptionErrors` for options that a configuration could not have.
    """

    def __init__(self, plugin: type[Plugin[Any]], options: Mapping[str, Any] | None = None) -> None:
        self._use = make_use(plugin.name or plugin.__name__, plugin, options or {})
        self._chain = Chain("test", [self._use])

    @property
    def plugin(self) -> Plugin[Any]:
        """The plugin's instance."""
        return self._use.plugin

    @property
    def counters(self) -> Mapping[str, int]:
        """What the plugin has counted."""
        return self._use.plugin.counters

    @property
    def errors(self) -> Mapping[tuple[str, str], int]:
        """How often a phase failed: (phase, reason) to a number."""
        return self._use.errors

    def run(
        self,
        head: Request | None = None,
        response: tuple[Head, bytes] | None = None,
        *,
        body: bytes | Sequence[bytes] = b"",
    ) -> Outcome:
        """One exchange with start and close around it, where no event loop runs."""

        async def life() -> Outcome:
            await self._chain.start()
            try:
                return await self.exchange(head, response, body=body)
            finally:
                await self._chain.close()

        return asyncio.run(life())

    async def exchange(
        self,
        head: Request | None = None,
        response: tuple[Head, bytes] | None = None,
        *,
        body: bytes | Sequence[bytes] = b"",
    ) -> Outcome:
        """One exchange: `body` is the request's content, as one piece or as several, `response` the
        member's."""
        head = head or request()
        messages = _Messages()
        contexts = self._chain.contexts(head, "test", messages)
        outcome = await self._answered(head, contexts, response or answer(), body)
        outcome.messages = messages.lines
        for step in self._chain.log:
            try:
                await step.wait(contexts[0], _Record(outcome))
            except PluginFailed:
                pass  # counted; nobody waits for a log phase
        return outcome

    async def _answered(
        self,
        head: Request,
        contexts: list[Context],
        response: tuple[Head, bytes],
        body: bytes | Sequence[bytes],
    ) -> Outcome:
        chain = self._chain
        try:
            stopped = await chain.request_head.wait(contexts, 1)
            pieces = [body] if isinstance(body, bytes) else list(body)
            content = b"".join(pieces)
            if stopped is None and content:
                content, stopped = await self._pass(chain.request_body, contexts, pieces)
            if stopped is not None:
                return _stopped(head, stopped.response)
            return await self._response(head, contexts, response, content)
        except BodyTooLarge:
            return _stopped(head, Response(413))
        except PluginFailed as failed:
            return _stopped(head, Response(failed.status))

    async def _response(
        self, head: Request, contexts: list[Context], response: tuple[Head, bytes], content: bytes
    ) -> Outcome:
        chain, (answered, body) = self._chain, response
        contexts[0].response = answered
        stopped = await chain.response_head.wait(contexts, 1)
        passed = body
        if stopped is None and body and head.method != "HEAD":
            passed, stopped = await self._pass(chain.response_body, contexts, [body])
        if stopped is not None:
            outcome = _stopped(head, stopped.response)
            outcome.request_body = content
            return outcome
        return Outcome(head, answered, passed, content)

    async def _pass(
        self, steps: Sequence[Step], contexts: list[Context], pieces: Sequence[bytes]
    ) -> tuple[bytes, Stopped | None]:
        """What comes out of `steps`, or who stopped the exchange in them."""
        way = self._chain.body(steps, contexts, 1)
        if way is None:
            return b"".join(pieces), None
        out = b""
        for number, piece in enumerate(pieces, 1):
            passed = await way.wait(piece, number == len(pieces))
            if isinstance(passed, Stopped):
                return b"", passed
            out += passed
        return out, None


def _stopped(head: Request, response: Response) -> Outcome:
    return Outcome(head, response.head(), response.content, stopped=True)
