"""Content of one direction on its way through plugins."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from adc.plugin.body import BodyPass, BodyTooLarge
from adc.plugin.phase_call import Stopped
from adc.plugin.use import PluginFailed
from adc.proxy.plugin_task import PluginTask


def _nobody(*told: object) -> None:
    pass


class PluginFlow:
    """Keeps the pieces in order while a phase awaits something.

    `passed` hears what came out of a piece and whether it was the last, `failed` what a phase raised, `hold`
    that the source is to pause (and whether it has given its last piece), `release` that it may go on.
    `content` is None unless a body phase is to see it.
    """

    __slots__ = ("_failed", "_hold", "_passed", "_queue", "_release", "_task", "content")

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

    @property
    def busy(self) -> bool:
        """Whether a phase awaits something."""
        return self._task.busy

    def run(self, work: Coroutine[Any, Any, Any], then: Callable[[Any], None], end: bool = False) -> None:
        """Await `work`, then call `then`; pieces that arrive meanwhile wait."""
        self._hold(end)
        self._task.run(work, then, self._failed)

    def push(self, data: bytes, end: bool) -> None:
        """The next piece."""
        content = self.content
        if content is None or self._task.busy:
            self._queue.append((data, end))
        elif content.waits:
            self.run(content.wait(data, end), partial(self._arrived, end), end)
        else:
            try:
                passed = content.feed(data, end)
            except (PluginFailed, BodyTooLarge) as error:
                self._failed(error)
                return
            self._passed(passed, end)

    def take(self) -> tuple[bytes, bool]:
        """What waits, joined, and whether it is the end; nothing waits any more."""
        data = b"".join(piece for piece, _ in self._queue)
        end = bool(self._queue) and self._queue[-1][1]
        self._queue.clear()
        return data, end

    def stop(self) -> None:
        """Forget the content, what waits and what is awaited."""
        self.content = None
        self._queue.clear()
        self._task.cancel()

    def end(self) -> None:
        """The exchange is over: stop, and hold nobody who holds us, so that no cycle waits for the
        collector."""
        self.stop()
        self._passed = self._failed = self._hold = self._release = _nobody

    def _arrived(self, end: bool, passed: bytes | Stopped) -> None:
        self._passed(passed, end)
        if self.content is None or isinstance(passed, Stopped):
            return
        if self._queue:
            self.push(*self.take())
        elif not end:
            self._release()
