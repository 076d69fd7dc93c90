"""The fork server: the process that worker processes are forked from.

It has imported and built what workers share, and has neither threads nor an event loop. The supervisor forks it before
its own loop begins, and starts this module with CHANNEL_FD TURNS_FD SHARE_FD if it has to replace it. A request on the
channel is the number of a worker, with the descriptor of the worker's own channel; the reply is its process id.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NoReturn

from adc.control import worker_process

REQUEST = struct.Struct("!i")
"""Number of the worker."""

REPLY = struct.Struct("!ii")
"""Process id of the worker; error number if it could not be forked, else 0."""

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends: workers are forked by a grandchild."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def become_fork_server(channel: socket.socket, memory: Sequence[int]) -> NoReturn:
    """Be the fork server in a process that was just forked; nothing of its parent is left to it but memory."""

    def work() -> None:
        _leave_parent({channel.fileno(), *memory})
        serve(channel, memory)

    _end_after(work)


def serve(channel: socket.socket, memory: Sequence[int]) -> None:
    """Fork a worker for each request on `channel`; return when the supervisor has gone."""
    _set_title("adc fork server")
    for number in (signal.SIGTERM, *worker_process.GROUP_SIGNALS):
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()  # a collection would write to every page, and end the sharing of it
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, REQUEST.size, 1)
        if not data:
            return
        (worker_id,) = REQUEST.unpack(data)
        with socket.socket(fileno=descriptors[0]) as worker_channel:
            worker_channel.set_inheritable(False)  # recv_fds ignores its flags
            reply = _fork(channel, partial(_be_worker, worker_id, worker_channel, memory))
        try:
            channel.send(reply)
        except OSError:  # the supervisor has gone: so will the worker
            return


def _fork(channel: socket.socket, work: Callable[[], None]) -> bytes:
    """Fork a process that forks the worker and ends, which leaves the worker to the supervisor; return the reply."""
    try:
        report, reporter = os.pipe()
    except OSError as error:
        return REPLY.pack(0, error.errno)
    with open(report, "rb") as pipe:
        try:
            middle = os.fork()
        except OSError as error:
            os.close(reporter)
            return REPLY.pack(0, error.errno)
        if middle == 0:
            pipe.close()
            _end_after(partial(_fork_worker, reporter, channel, work))
        os.close(reporter)
        os.waitpid(middle, 0)  # from here on the supervisor is the parent
        return pipe.read()


def _fork_worker(reporter: int, channel: socket.socket, work: Callable[[], None]) -> None:
    try:
        pid = os.fork()
    except OSError as error:
        os.write(reporter, REPLY.pack(0, error.errno))
        return
    if pid:
        os.write(reporter, REPLY.pack(pid, 0))
        return
    os.close(reporter)
    channel.close()
    work()


def _be_worker(worker_id: int, channel: socket.socket, memory: Sequence[int]) -> None:
    _set_title(f"adc worker {worker_id}")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.enable()
    worker_process.work(worker_id, channel, *memory)


def _end_after(work: Callable[[], None]) -> NoReturn:
    """Do `work`, then end this process, without anything that the process it was forked from does at its end."""
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            logging.shutdown()
            flush_output()
        finally:
            os._exit(code)


def flush_output() -> None:
    """Write what is buffered for standard output and error, if they are open and somebody reads them."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed when this process was started
            with suppress(OSError):
                stream.flush()


def _leave_parent(kept: set[int]) -> None:
    """Close every descriptor that was inherited, except for output and those to keep; read nothing."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for name in os.listdir("/proc/self/fd"):
        descriptor = int(name)
        if descriptor > 2 and descriptor not in kept:
            try:
                os.close(descriptor)
            except OSError:  # the one of the listing itself
                pass


def _set_title(title: str) -> None:
    """Set the name that `ps -o comm` and `top` show, 15 characters at most."""
    try:
        with open("/proc/self/comm", "w", encoding="ascii") as comm:
            comm.write(title)
    except OSError:
        pass


def main(arguments: list[str]) -> None:
    """Serve as a process that is started as a program."""
    from adc.runtime.preload import preload

    preload()
    channel, *memory = map(int, arguments)
    for descriptor in (channel, *memory):  # programs that a plugin starts inherit none of them
        os.set_inheritable(descriptor, False)
    serve(socket.socket(fileno=channel), memory)
