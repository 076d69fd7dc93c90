"""On which sockets a listener accepts, and whether it does now."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from adc.net.accept import AcceptContext
from adc.net.acceptor import Acceptor
from adc.runtime.serve import descriptors

if TYPE_CHECKING:
    from adc.net.listener_state import ListenerState
    from adc.net.share import Share
    from adc.runtime.serve.descriptors import Spare
    from adc.telemetry.error_log import ErrorLog

_TELL_PAUSE = 10.0
"""Seconds between two log lines about pauses; some pauses last for a tick only, but recur."""


class Accepting:
    """Accepts on the sockets of one listener, and pauses while descriptors are short.

    From the descriptor `accept_context.max_descriptor` on nothing is accepted, so that some are left for members, files
    and the other listeners; clients wait in the kernel's queue meanwhile. `spare` are descriptors to close then.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        state: ListenerState,
        failed: Callable[[str, str, str], None],
        share: Share,
        spare: Spare,
    ) -> None:
        self.accept_context = AcceptContext(loop, state, failed, share)
        self.accept_context.exhausted = self._pause
        self.accept_context.max_descriptor = descriptors.last_for_clients()
        self._used_by_datagrams = 0
        self._spare = spare
        self._descriptors = descriptors.DescriptorWatch(spare)
        self._acceptors: dict[socket.socket, Acceptor] = {}
        self.paused = False
        self._why = ""
        self.pauses = 0
        self._pauses_told = 0
        self._next_told = 0.0

    def follow(self, sockets: Sequence[socket.socket]) -> None:
        """Accept on exactly these sockets, which stay the caller's."""
        for sock in [sock for sock in self._acceptors if sock not in sockets]:
            self._acceptors.pop(sock).drain()
        for sock in sockets:
            if sock not in self._acceptors:
                acceptor = self._acceptors[sock] = Acceptor(self.accept_context, sock.dup())
                if not self.paused:
                    acceptor.resume()

    def close(self) -> None:
        """Accept no more than the waiting clients."""
        self.follow(())

    def leave_to_datagrams(self, used: int) -> None:
        """Accept as many clients as the descriptors allow that UDP sessions do not use."""
        if used != self._used_by_datagrams:
            self._used_by_datagrams = used
            self.accept_context.max_descriptor = descriptors.last_for_clients(used)

    def _pause(self, why: str) -> None:
        if not self.paused:
            self.paused = True
            self._spare.close_idle()  # a connection just accepted may need other descriptors than idle ones
            self._why = why
            self.pauses += 1
            for acceptor in self._acceptors.values():
                acceptor.pause()

    def tick(self, now: float, error_log: ErrorLog) -> None:
        """Accept again if there are descriptors again at `now` (monotonic seconds)."""
        if not self.paused:
            return
        if self._pauses_told != self.pauses and now >= self._next_told:
            self._next_told = now + _TELL_PAUSE
            self._pauses_told = self.pauses
            error_log.error("accept_paused", detail=self._why, pauses=self.pauses)
        if self._descriptors.left(self.accept_context.max_descriptor, now):
            self.paused = False
            for acceptor in self._acceptors.values():
                acceptor.resume()
