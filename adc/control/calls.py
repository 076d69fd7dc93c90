"""Requests and answers over a channel, with a time limit on every wait."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from adc.control.channel import Channel, ChannelClosed

log = logging.getLogger(__name__)


class CallRefused(Exception):
    """The worker understood and said no; the text is for the user."""


class CallFailed(Exception):
    """The worker broke while it answered, did not answer in time, or has gone."""


class Caller:
    """The asking end: the supervisor's."""

    def __init__(self, sock: socket.socket) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._channel = Channel(sock, self._answered, self._lost)

    async def ask(
        self, verb: str, body: object = None, *, sockets: Sequence[socket.socket] = (), timeout: float
    ) -> Any:
        """Send one request, return its answer. Raises CallRefused or CallFailed; `timeout` is in seconds."""
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._channel.send((number, verb, body), sockets)
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise CallFailed(f"no answer to {verb!r} within {timeout:g} s") from None
        except ChannelClosed as error:
            raise CallFailed(f"{verb!r} not answered: {error}") from None
        finally:
            del self._waiting[number]

    def close(self) -> None:
        """Hang up; the worker drains and ends."""
        self._channel.close()

    def _answered(self, message: Any, sockets: list[socket.socket]) -> None:
        number, outcome, value = message
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return
        if outcome == "done":
            answer.set_result(value)
        elif outcome == "refused":
            answer.set_exception(CallRefused(value))
        else:
            answer.set_exception(CallFailed(value))

    def _lost(self) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(CallFailed("the worker process has gone"))


class Answerer:
    """The answering end: a worker's. `serve(verb, body, sockets)` answers one request, several at a time.

    A CallRefused that it raises reaches the caller as it is, any other exception as a CallFailed.
    `on_closed()` is called once, when the supervisor has hung up or died.
    """

    def __init__(
        self,
        sock: socket.socket,
        serve: Callable[[str, Any, list[socket.socket]], Awaitable[object]],
        on_closed: Callable[[], None],
    ) -> None:
        self._serve = serve
        self._tasks: set[asyncio.Task[None]] = set()
        self._channel = Channel(sock, self._asked, on_closed)

    def _asked(self, message: Any, sockets: list[socket.socket]) -> None:
        number, verb, body = message
        task = asyncio.get_running_loop().create_task(self._answer(number, verb, body, sockets))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int, verb: str, body: Any, sockets: list[socket.socket]) -> None:
        try:
            outcome, value = "done", await self._serve(verb, body, sockets)
        except CallRefused as error:
            outcome, value = "refused", str(error)
        except Exception as error:
            log.exception("request %r of the supervisor failed", verb)
            outcome, value = "failed", f"{type(error).__name__}: {error}"
        try:
            self._channel.send((number, outcome, value))
        except ChannelClosed:
            log.debug("the supervisor hung up before the answer to %r", verb)
