"""The process that carries out jobs of a plugin: started as a script, with nothing of adc in it but this file.

Standard input is a socket. The first frame is `sys.path`, and its reply says that the process has started; each further
one is a job: the module of the function, the module's file, the name of the function, its arguments. Without arguments
(None) the function is only loaded. The reply is (kind, result). A frame is its length and a pickle.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import pickle
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

LENGTH = struct.Struct("!Q")
DONE, FAILED, OUT_OF_MEMORY = range(3)

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_DESCRIPTORS = 64
_FIRST_TO_BE_KILLED = 800
"""Out of 1000: the kernel's choice when the machine is out of memory, before the worker that serves."""


def frame(value: object) -> bytes:
    """Return `value` as it travels. Raises what pickle does for a value that cannot."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(data)) + data


def main(parent: int, memory: int, nice: int) -> None:
    """Work until the other end of the socket is closed."""
    _end_with(parent)
    _give_way(memory, nice)
    with socket.socket(fileno=0) as channel:
        path = _receive(channel)
        if path is not None:
            sys.path[:] = path
            channel.sendall(frame((DONE, None)))
            _serve(channel)


def _end_with(parent: int) -> None:
    """Have the kernel end this process with its parent, also in the middle of a job."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole terminal group; the worker decides
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel knew
        os._exit(0)


def _give_way(memory: int, nice: int) -> None:
    os.nice(nice)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as adjustment:
        adjustment.write(str(_FIRST_TO_BE_KILLED))
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _DESCRIPTORS),
    ):
        resource.setrlimit(limit, (value, value))


def _serve(channel: socket.socket) -> None:
    while True:
        job = _receive(channel)
        if job is None:
            return
        channel.sendall(_carried_out(job))


def _carried_out(job: Any) -> bytes:
    try:
        module, file, name, arguments = job
        function = _function(module, file, name)
        return frame((DONE, None if arguments is None else function(*arguments)))
    except MemoryError:
        return frame((OUT_OF_MEMORY, "out of memory"))
    except Exception as error:
        return frame((FAILED, f"{type(error).__name__}: {error}"[:500]))


def _function(module: str, file: str, name: str) -> Callable[..., Any]:
    """Return a function of a module, which is loaded from its file if it cannot be imported by its name."""
    if module not in sys.modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            spec = importlib.util.spec_from_file_location(module, file)
            if spec is None or spec.loader is None:
                raise
            made = importlib.util.module_from_spec(spec)
            sys.modules[module] = made
            try:
                spec.loader.exec_module(made)
            except BaseException:
                del sys.modules[module]
                raise
    function: Callable[..., Any] = getattr(sys.modules[module], name)
    return function


def _receive(channel: socket.socket) -> Any:
    """Return the next value, None at the end."""
    head = _exactly(channel, LENGTH.size)
    if head is None:
        return None
    data = _exactly(channel, LENGTH.unpack(head)[0])
    return None if data is None else pickle.loads(data)


def _exactly(channel: socket.socket, size: int) -> bytearray | None:
    data = bytearray(size)
    view, have = memoryview(data), 0
    while have < size:
        count = channel.recv_into(view[have:])
        if count == 0:
            return None
        have += count
    return data


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
