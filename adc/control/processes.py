"""Worker processes as the operating system sees them: started, waited for, ended."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Sequence

from adc.control.allocator import SETTINGS
from adc.launch import command as command_of

TURNS_BYTES = 1 << 16
"""Memory that all workers share, for the counts of `adc.runtime.build.turns`."""

SHARE_BYTES = 1 << 12
"""The same for `adc.net.share`."""

COMMAND = command_of("adc.control.worker_process")


class WorkerProcess:
    """A started process and our end of its channel."""

    def __init__(self, worker_id: int, process: subprocess.Popen[bytes], sock: socket.socket) -> None:
        self.worker_id = worker_id
        self.pid = process.pid
        self.sock = sock
        self._process = process

    @classmethod
    def start(cls, worker_id: int, memory: Sequence[int], command: Sequence[str] = COMMAND) -> WorkerProcess:
        """Start one that shares the memory behind the descriptors `memory` with others. Needs no event loop.

        Raises OSError if that is not possible.
        """
        ours, theirs = socket.socketpair()
        passed = (theirs.fileno(), *memory)
        try:
            process = subprocess.Popen(
                (*command, str(worker_id), *map(str, passed)),
                pass_fds=passed,
                stdin=subprocess.DEVNULL,
                env={**SETTINGS, **os.environ},
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(worker_id, process, ours)

    async def wait(self) -> int:
        """Return the exit code once the process has gone."""
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        descriptor = os.pidfd_open(self.pid) if self._process.poll() is None else -1
        if descriptor >= 0:
            loop.add_reader(descriptor, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        return self._process.wait()

    def kill(self) -> None:
        """End it now."""
        if self._process.poll() is None:
            self._process.kill()

    def dismiss(self) -> None:
        """It is not needed after all: it ends by itself when its channel closes."""
        self.sock.close()


class Recruits:
    """Processes started ahead: they import what serves while the configuration is being read."""

    def __init__(self) -> None:
        self._ready: dict[int, WorkerProcess] = {}
        self._memory = (_memory("adc-turns", TURNS_BYTES), _memory("adc-share", SHARE_BYTES))

    def start(self, count: int) -> None:
        """Start processes for the workers 0 to `count` - 1; what cannot start now is left to `take`."""
        for worker_id in range(count):
            try:
                self._ready[worker_id] = WorkerProcess.start(worker_id, self._memory)
            except OSError:
                return

    def take(self, worker_id: int) -> WorkerProcess:
        """The process for a worker: the one started ahead, or a new one. Raises OSError."""
        return self._ready.pop(worker_id, None) or WorkerProcess.start(worker_id, self._memory)

    def keep(self, count: int) -> None:
        """Let go of those beyond the workers 0 to `count` - 1."""
        for worker_id in [worker_id for worker_id in self._ready if worker_id >= count]:
            self._ready.pop(worker_id).dismiss()


def _memory(name: str, size: int) -> int:
    """The descriptor of `size` bytes, all zero."""
    descriptor = os.memfd_create(name)
    os.ftruncate(descriptor, size)
    return descriptor
