"""One network namespace: functions, sockets and processes inside it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from socket import AF_INET, SOCK_STREAM, create_connection
from socket import socket as Socket  # noqa: N812 - a method has the name
from typing import Any, TypeVar

T = TypeVar("T")

FOLDER = "/run/netns"
_CLONE_NEWNET = 0x40000000
_STOP_SECONDS = 5.0
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace that `ip netns add NAME` made."""

    def __init__(self, role: str, name: str) -> None:
        self.role = role
        self.name = name
        self._processes: list[subprocess.Popen[Any]] = []

    def call(self, function: Callable[..., T], *args: Any, **options: Any) -> T:
        """Call `function` in a thread that is inside, and return its result or raise its exception.

        Sockets that it makes stay inside, whichever thread uses them afterwards. Processes and threads that it starts
        are inside too.
        """
        results: list[T] = []
        errors: list[BaseException] = []

        def inside() -> None:
            try:
                _enter(self.name)
                results.append(function(*args, **options))
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=inside, name=f"netns-{self.role}")
        thread.start()
        thread.join()
        if errors:
            raise errors.pop()
        return results[0]

    def socket(self, family: int = AF_INET, kind: int = SOCK_STREAM) -> Socket:
        """Return a new socket of this namespace."""
        return self.call(Socket, family, kind)

    def connect(self, host: str, port: int, seconds: float = 5.0) -> Socket:
        """Return a TCP connection from inside to an address. Raises OSError."""
        return self.call(create_connection, (host, port), seconds)

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a process inside; it is stopped at the latest when the namespace is removed."""
        process: subprocess.Popen[Any] = self.call(subprocess.Popen, list(command), **options)
        self._processes.append(process)
        return process

    def run(self, command: Sequence[str], text: str | None = None, seconds: float = 10.0) -> str:
        """Run a command inside and return its output. Raises RuntimeError with its errors if it fails."""
        return self.call(run, command, text, seconds)

    def configure(self, *lines: str) -> None:
        """Run lines of `ip` inside, such as `addr add 10.0.0.1/24 dev front`, with one process."""
        run(("ip", "-n", self.name, "-batch", "-"), "\n".join(lines))

    def stop(self) -> None:
        """Stop the processes that were started inside."""
        running = [process for process in self._processes if process.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()


def run(command: Sequence[str], text: str | None = None, seconds: float = 10.0) -> str:
    """Run a command with `text` as its input and return its output. Raises RuntimeError with its errors if it fails."""
    result = subprocess.run(command, input=text, capture_output=True, text=True, timeout=seconds, check=False)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {result.stderr.strip() or result.returncode}")
    return result.stdout


def names() -> list[str]:
    """Return the names of all namespaces of this machine."""
    with contextlib.suppress(FileNotFoundError):
        return os.listdir(FOLDER)
    return []


def _enter(name: str) -> None:
    """Move the calling thread into a namespace. Raises OSError."""
    descriptor = os.open(f"{FOLDER}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, f"cannot enter the namespace {name}: {os.strerror(number)}")
    finally:
        os.close(descriptor)
