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
LARGEST: Final = 1 << 18
"""More than one read brings."""
_QUICK: Final = SHARE / 16
"""Seconds in which phases process a piece if the next ones may be twice as large."""


def _ignore(*arguments: object) -> None:
    """Do nothing: the exchange is over."""


def next_size(size: int, seconds: float) -> int:
    """Return the size of the next pieces, after a piece of up to `size` bytes took `seconds`."""
    if seconds > SHARE:
        return max(size >> 1, _SMALLEST)
    return min(size << 1, LARGEST) if seconds < _QUICK else size


class PluginFlow:
    """Keeps chunks in order while a phase awaits something, or until it is the turn of a flow whose phases take
    long.

    Pieces become smaller if the phases take long for one, and larger if they are quick: each costs calls, a write and a
    chunk of the response.

    `passed` gets what a phase made of a chunk and whether it was the last, `failed` what a phase raised. `hold` has the
    sender pause (it gets whether the last chunk has come), `release` has it go on. `content` is None unless a body
    phase reads the content.
    """

    __slots__ = (
        "_at",
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
        self._at = 0
        """Where in the first chunk of the queue begins what waits of it."""
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
        if self._queue or len(data) > self._piece:
            self._queue.append((data, end))
            data, end = self._take_piece()
        self._process(data, end)

    def _process(self, data: bytes, end: bool) -> None:
        """Process a piece, and those that wait for it."""
        while (content := self.content) is not None:
            if content.waits:
                self.run(content.wait(data, end), partial(self._arrived, end), end)
                return
            started = perf_counter()
            try:
                passed = content.feed(data, end)
            except (PluginFailed, BodyTooLarge) as error:
                self._failed(error)
                return
            seconds = perf_counter() - started
            self._used += seconds
            TURNS.spend(seconds)
            if seconds > SHARE or len(data) >= self._piece:
                self._piece = next_size(self._piece, seconds)
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

    def _await_turn(self, end: bool) -> None:
        self._hold(end)
        self._awaits_turn = True
        TURNS.wait(self._go_on)

    def _go_on(self) -> None:
        if not self._awaits_turn:
            return  # stopped meanwhile
        self._awaits_turn = False
        if self._queue:
            self._process(*self._take_piece())
        if not self.busy:
            self._release()

    def _take_piece(self) -> tuple[bytes, bool]:
        """Remove and return the beginning of what waits, at most `_piece` bytes: a part of a large chunk, or as many
        small ones as fit, joined."""
        queue, start, most = self._queue, self._at, self._piece
        data, end = queue[0]
        if len(data) - start > most:
            self._at = start + most
            return data[start : start + most], False
        size, count = len(data) - start, 1
        while count < len(queue) and size + len(queue[count][0]) <= most:
            size += len(queue[count][0])
            end = queue[count][1]
            count += 1
        if start or count > 1:
            data = self._joined(count)
        del queue[:count]
        self._at = 0
        return data, end

    def _joined(self, count: int) -> bytes:
        """Return the first `count` chunks that wait."""
        parts = [data for data, _ in self._queue[:count]]
        if self._at:
            parts[0] = parts[0][self._at :]
        return b"".join(parts)

    def take(self) -> tuple[bytes, bool]:
        """Remove and return the chunks that wait, joined, and whether they end the content."""
        queue = self._queue
        if not queue:
            return b"", False
        data, end = self._joined(len(queue)), queue[-1][1]
        self._drop_queue()
        return data, end

    def _drop_queue(self) -> None:
        self._queue.clear()
        self._at = 0

    def stop(self) -> None:
        """Drop the content, the chunks that wait and the task."""
        self.content = None
        self._drop_queue()
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
            self._process(*self._take_piece())
            return
        if content is not None:
            self._drop_finished(content)
        self._release()

    def _drop_finished(self, content: BodyPass) -> None:
        """Let what follows pass by this flow if no phase reads more of it."""
        if content is self.content and content.finished and not self._queue:
            self.content = None
