"""Content of one direction on its way through plugins."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from adc.plugin.body import BodyPass, BodyTooLarge
from adc.plugin.phase_call import Stopped
from adc.plugin.use import PluginFailed
from adc.proxy.plugins.task import PluginTask


def _ignore(*arguments: object) -> None:
    """Do nothing: the exchange is over."""


class PluginFlow:
    """Keeps chunks in order while a phase awaits something.

    `passed` gets what a phase made of a chunk and whether it was the last, `failed` what a phase raised. `hold` has the
    sender pause (it gets whether the last chunk has come), `release` has it go on. `content` is None unless a body
    phase reads the content.
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
        """True if a phase awaits something."""
        return self._task.busy

    def run(self, work: Coroutine[Any, Any, Any], then: Callable[[Any], None], end: bool = False) -> None:
        """Await `work`, then call `then`; chunks that arrive meanwhile wait."""
        self._hold(end)
        self._task.run(work, then, self._failed)

    def push(self, data: bytes, end: bool) -> None:
        """Process the next chunk."""
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
            self._drop_finished(content)

    def take(self) -> tuple[bytes, bool]:
        """Remove and return the chunks that wait, joined, and whether they end the content."""
        data = b"".join(piece for piece, _ in self._queue)
        end = bool(self._queue) and self._queue[-1][1]
        self._queue.clear()
        return data, end

    def stop(self) -> None:
        """Drop the content, the chunks that wait and the task."""
        self.content = None
        self._queue.clear()
        self._task.cancel()

    def end(self) -> None:
        """Stop because the exchange is over, and refer to nothing that refers to this flow: no cycle waits for the
        collector."""
        self.stop()
        self._passed = self._failed = self._hold = self._release = _ignore

    def _arrived(self, end: bool, passed: bytes | Stopped) -> None:
        content = self.content
        self._passed(passed, end)
        if self._queue and self.content is not None and not isinstance(passed, Stopped):
            self.push(*self.take())
            return
        if content is not None:
            self._drop_finished(content)
        self._release()

    def _drop_finished(self, content: BodyPass) -> None:
        """Let what follows pass by this flow if no phase reads more of it."""
        if content is self.content and content.finished and not self._queue:
            self.content = None
