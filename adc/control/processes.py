"""Worker processes as the supervisor sees them: started, waited for, ended."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from adc.control.fork_server import REPLY, REQUEST, adopt_orphans, become_fork_server, flush_output
from adc.firewall.buckets import BYTES as BUCKET_BYTES
from adc.firewall.buckets import SECRET_BYTES
from adc.l4.udp import id_memory
from adc.launch import command as command_of
from adc.net import shared_sources
from adc.pools.shared_load import BYTES as LOAD_BYTES
from adc.telemetry.event_log import EventLog

log = EventLog(__name__)

COMMAND = command_of("adc.control.fork_server")

TURNS_BYTES = 1 << 16
"""Memory that all workers share, for the counts of `adc.runtime.assembly.turns`."""

SHARE_BYTES = 1 << 12
"""The same for `adc.net.share`, and behind it for `adc.sessions.shared_total`."""

UNKNOWN_CODE = 255
"""Exit code of a process that somebody else has waited for."""

FORK_TIMEOUT = 30.0
"""Seconds for the fork server to start a worker; one that was started anew imports everything first."""


class WorkerProcess:
    """A child process and this process's end of its channel."""

    def __init__(self, worker_id: int, pid: int, sock: socket.socket) -> None:
        self.worker_id = worker_id
        self.pid = pid
        self.sock = sock
        self._code: int | None = None

    async def wait(self) -> int:
        """Return the exit code once the process has gone; negative for the signal that killed it."""
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        descriptor = os.pidfd_open(self.pid) if self._poll() is None else -1
        if descriptor >= 0:
            loop.add_reader(descriptor, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        code = self._poll()
        return UNKNOWN_CODE if code is None else code

    def kill(self) -> None:
        """End it now."""
        if self._poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _poll(self) -> int | None:
        """Return the exit code, None while it runs. Only here it is reaped: its number stays its own until then."""
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self._code = UNKNOWN_CODE
            else:
                self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


class ForkServer:
    """Starts workers by asking the fork server (`adc.control.fork_server`), which it replaces if that dies.

    Workers are children of this process, so the death of the fork server leaves them alone.
    """

    def __init__(self) -> None:
        self._memory = (
            _memory("adc-turns", TURNS_BYTES),
            _memory("adc-share", SHARE_BYTES),
            _memory("adc-firewall", BUCKET_BYTES),
            _memory("adc-quic-ids", id_memory.BYTES),
            _memory("adc-loads", LOAD_BYTES),
            _memory("adc-sources", shared_sources.BYTES),
        )
        os.pwrite(self._memory[2], os.urandom(SECRET_BYTES), BUCKET_BYTES - SECRET_BYTES)
        os.pwrite(self._memory[3], os.urandom(id_memory.SECRET_BYTES), id_memory.SECRET_AT)
        os.pwrite(self._memory[5], os.urandom(shared_sources.SECRET_BYTES), shared_sources.SECRET_AT)
        self._channel: socket.socket | None = None
        self._end: Callable[[], None] = _nothing
        self._asking = asyncio.Lock()

    def fork(self) -> None:
        """Fork the fork server from this process, which has neither threads nor an event loop. Raises OSError."""
        adopt_orphans()
        ours, theirs = _socketpair()
        flush_output()
        pid = os.fork()
        if pid == 0:
            become_fork_server(theirs, self._memory)
        theirs.close()
        self._channel, self._end = ours, partial(_end, pid)

    async def worker(self, worker_id: int) -> WorkerProcess:
        """Start the process of a worker. Raises OSError."""
        async with self._asking:
            if self._channel is not None:
                try:
                    return await self._ask(self._channel, worker_id)
                except (ConnectionError, TimeoutError) as error:
                    log.error("fork_server_replaced", detail=str(error) or type(error).__name__)
            return await self._ask(self._start_anew(), worker_id)

    def close(self) -> None:
        """End the fork server; workers go on."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._end()
        self._end = _nothing

    async def _ask(self, server: socket.socket, worker_id: int) -> WorkerProcess:
        """Have `server` fork a worker; one that it forks although it fails finds its channel closed. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = await self._forked(server, worker_id, theirs)
        except BaseException:
            ours.close()
            raise
        return WorkerProcess(worker_id, pid, ours)

    async def _forked(self, server: socket.socket, worker_id: int, channel: socket.socket) -> int:
        """Return the process id of a new worker, which has the other end of `channel`. Raises OSError."""
        try:
            socket.send_fds(server, [REQUEST.pack(worker_id)], [channel.fileno()])
            async with asyncio.timeout(FORK_TIMEOUT):
                reply = await asyncio.get_running_loop().sock_recv(server, REPLY.size)
            if not reply:
                raise ConnectionResetError("it has ended")
        except BaseException:  # a reply that comes late must not be taken for the next one
            self.close()
            raise
        pid, number = REPLY.unpack(reply)
        if number:
            raise OSError(number, os.strerror(number))
        return int(pid)

    def _start_anew(self) -> socket.socket:
        """Start a fork server as a program of its own, which imports everything first. Raises OSError."""
        self._channel, theirs = _socketpair()
        passed = (theirs.fileno(), *self._memory)
        with theirs:
            process = subprocess.Popen(
                (*COMMAND, *map(str, passed)), pass_fds=passed, stdin=subprocess.DEVNULL
            )
        self._end = partial(_end_program, process)
        return self._channel


def _nothing() -> None:
    """No-op: there is no fork server."""


def _end(pid: int) -> None:
    with suppress(ChildProcessError):  # it ended before, and was reaped
        if os.waitpid(pid, os.WNOHANG) == (0, 0):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _end_program(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _socketpair() -> tuple[socket.socket, socket.socket]:
    """Return the ends of a channel that keeps messages apart; ours does not block."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return ours, theirs


def _memory(name: str, size: int) -> int:
    """Return the descriptor of `size` bytes, all zero."""
    descriptor = os.memfd_create(name)
    os.ftruncate(descriptor, size)
    return descriptor
