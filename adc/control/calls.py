"""Requests and answers over a channel, either way, with a time limit on every wait."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from adc.control.channel import Channel, ChannelClosed
from adc.telemetry.event_log import EventLog, trace_of

log = EventLog(__name__)

_ASK = "ask"


class CallRefused(Exception):
    """The other process understood and said no; the text is for the user."""


class CallFailed(Exception):
    """The other process broke while it answered, did not answer in time, or has gone."""


class PeerGone(CallFailed):
    """The other process has ended, or hung up."""


class CallEndpoint:
    """One end of a channel: asks, and answers what the other end asks, several questions at a time.

    `serve(verb, body, sockets)` answers. A CallRefused that it raises reaches the asker as it is, any other
    exception as a CallFailed. `on_closed()` is called once, when the other end has hung up or died.
    """

    def __init__(
        self,
        sock: socket.socket,
        serve: Callable[[str, Any, list[socket.socket]], Awaitable[object]],
        on_closed: Callable[[], None] = lambda: None,
    ) -> None:
        self._serve = serve
        self._on_closed = on_closed
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._channel = Channel(sock, self._received, self._lost)

    async def ask(
        self, verb: str, body: object = None, *, sockets: Sequence[socket.socket] = (), timeout: float
    ) -> Any:
        """Send one request, return its answer. Raises CallRefused or CallFailed; `timeout` is in seconds."""
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._channel.send((number, _ASK, (verb, body)), sockets)
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise CallFailed(f"no answer to {verb!r} within {timeout:g} s") from None
        except ChannelClosed as error:
            raise PeerGone(f"{verb!r} not answered: {error}") from None
        finally:
            del self._waiting[number]

    def close(self) -> None:
        """Hang up; a worker whose supervisor does drains and ends."""
        self._channel.close()

    def _received(self, message: Any, sockets: list[socket.socket]) -> None:
        number, kind, value = message
        if kind != _ASK:
            self._answered(number, kind, value)
            return
        verb, body = value
        task = asyncio.get_running_loop().create_task(self._answer(number, verb, body, sockets))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _answered(self, number: int, outcome: str, value: Any) -> None:
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return
        if outcome == "done":
            answer.set_result(value)
        elif outcome == "refused":
            answer.set_exception(CallRefused(value))
        else:
            answer.set_exception(CallFailed(value))

    async def _answer(self, number: int, verb: str, body: Any, sockets: list[socket.socket]) -> None:
        try:
            outcome, value = "done", await self._serve(verb, body, sockets)
        except CallRefused as error:
            outcome, value = "refused", str(error)
        except Exception as error:
            log.error("call_failed", verb=verb, error=repr(error), trace=trace_of(error))
            outcome, value = "failed", f"{type(error).__name__}: {error}"
        try:
            self._channel.send((number, outcome, value))
        except ChannelClosed:
            log.debug("reply_undelivered", verb=verb)

    def _lost(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(PeerGone("the other process has gone"))
        self._on_closed()
