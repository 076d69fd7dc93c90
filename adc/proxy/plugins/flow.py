"""Content of one direction on its way through plugins."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from time import perf_counter
from typing import Any, Final

from adc.plugin.body import BodyPass, BodyTooLarge
from adc.plugin.phase_call import Stopped
from adc.plugin.use import PluginFailed
from adc.proxy.plugins.task import PluginTask
from adc.proxy.plugins.turns import SHARE, TURNS

PIECE: Final = 1 << 15
"""Bytes that the phases get at once at first. What comes in one read is cut, because a phase may take long for it."""
_SMALLEST: Final = 1 << 12


def _ignore(*arguments: object) -> None:
    """Do nothing: the exchange is over."""


class PluginFlow:
    """Keeps chunks in order while a phase awaits something, or until it is the turn of a flow whose phases take
    long.

    `passed` gets what a phase made of a chunk and whether it was the last, `failed` what a phase raised. `hold` has the
    sender pause (it gets whether the last chunk has come), `release` has it go on. `content` is None unless a body
    phase reads the content.
    """

    __slots__ = (
        "_awaits_turn",
        "_failed",
        "_hold",
        "_passed",
        "_piece",
        "_queue",
        "_release",
        "_task",
        "_used",
        "content",
    )

    def __init__(
        self,
        passed: Callable[[bytes | Stopped, bool], None],
        failed: Callable[[BaseException], None],
        hold: Callable[[bool], None],
        release: Callable[[], None],
    ) -> None:
        self.content: BodyPass | None = None
        self._passed = passed
        self._failed = failed
        self._hold = hold
        self._release = release
        self._queue: list[tuple[bytes, bool]] = []
        self._task = PluginTask()
        self._awaits_turn = False
        self._piece = PIECE
        self._used = 0.0

    @property
    def busy(self) -> bool:
        """True if chunks that arrive have to wait."""
        return self._task.busy or self._awaits_turn

    def run(self, work: Coroutine[Any, Any, Any], then: Callable[[Any], None], end: bool = False) -> None:
        """Await `work`, then call `then`; chunks that arrive meanwhile wait."""
        self._hold(end)
        self._task.run(work, then, self._failed)

    def push(self, data: bytes, end: bool) -> None:
        """Process the next chunk."""
        if self._awaits_turn or self.content is None or self._task.busy:
            self._queue.append((data, end))
            return
        if TURNS.over and self._used > SHARE:
            self._queue.append((data, end))
            self._await_turn(end)
            return
        while (content := self.content) is not None:
            if len(data) > self._piece:
                data, end = self._first_piece(data, end)
            if content.waits:
                self.run(content.wait(data, end), partial(self._arrived, end), end)
                return
            started = perf_counter()
            try:
                passed = content.feed(data, end)
            except (PluginFailed, BodyTooLarge) as error:
                self._failed(error)
                return
            self._spend(perf_counter() - started)
            self._passed(passed, end)
            self._drop_finished(content)
            if end or isinstance(passed, Stopped):
                return
            if TURNS.over and self._used > SHARE and self.content is not None:
                self._await_turn(end)
                return
            if not self._queue:
                return
            data, end = self._take_piece()

    def _spend(self, seconds: float) -> None:
        self._used += seconds
        TURNS.spend(seconds)
        if seconds > SHARE and self._piece > _SMALLEST:
            self._piece >>= 1

    def _await_turn(self, end: bool) -> None:
        self._hold(end)
        self._awaits_turn = True
        TURNS.wait(self._go_on)

    def _go_on(self) -> None:
        if not self._awaits_turn:
            return  # stopped meanwhile
        self._awaits_turn = False
        if self._queue:
            self.push(*self._take_piece())
        if not self.busy:
            self._release()

    def _first_piece(self, data: bytes, end: bool) -> tuple[bytes, bool]:
        """Return the beginning of a large chunk; the rest waits, before all others."""
        size, last = self._piece, len(data) - 1
        self._queue[:0] = [
            (data[at : at + size], end and at + size > last) for at in range(size, len(data), size)
        ]
        return data[:size], False

    def _take_piece(self) -> tuple[bytes, bool]:
        """Remove and return the next chunks that wait, joined, about `_piece` bytes."""
        size = count = 0
        for data, _ in self._queue:
            size += len(data)
            count += 1
            if size >= self._piece:
                break
        taken = self._queue[:count]
        del self._queue[:count]
        return b"".join([data for data, _ in taken]), taken[-1][1]

    def take(self) -> tuple[bytes, bool]:
        """Remove and return the chunks that wait, joined, and whether they end the content."""
        data = b"".join([piece for piece, _ in self._queue])
        end = bool(self._queue) and self._queue[-1][1]
        self._queue.clear()
        return data, end

    def stop(self) -> None:
        """Drop the content, the chunks that wait and the task."""
        self.content = None
        self._queue.clear()
        self._task.cancel()
        self._awaits_turn = False

    def end(self) -> None:
        """Stop because the exchange is over, and refer to nothing that refers to this flow: no cycle waits for the
        collector."""
        self.stop()
        self._passed = self._failed = self._hold = self._release = _ignore

    def _arrived(self, end: bool, passed: bytes | Stopped) -> None:
        content = self.content
        self._passed(passed, end)
        if self._queue and self.content is not None and not isinstance(passed, Stopped):
            self.push(*self._take_piece())
            return
        if content is not None:
            self._drop_finished(content)
        self._release()

    def _drop_finished(self, content: BodyPass) -> None:
        """Let what follows pass by this flow if no phase reads more of it."""
        if content is self.content and content.finished and not self._queue:
            self.content = None
