"""Start the processes of a peer or of the origin on a core, wait until they serve, end them by pid."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks import proc
from benchmarks.cores import on_core

START_LIMIT = 15.0
STOP_LIMIT = 10.0
POLL = 0.005


class StartError(Exception):
    """A peer did not come up; the message carries the end of what it wrote."""


class Usage(NamedTuple):
    """CPU seconds and resident bytes of a tree; `master` is the CPU of a first process with others below."""

    cpu: float
    master: float
    rss: int

    def since(self, before: Usage) -> Usage:
        """What came on top of `before`."""
        return Usage(self.cpu - before.cpu, self.master - before.master, self.rss - before.rss)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tls_client_context() -> ssl.SSLContext:
    """A client context that takes any certificate: ours is self-signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def answers(port: int, path: bytes, *, tls: bool = False) -> bool:
    """Whether a GET of `path` on `port` is answered with 200 now."""
    request = b"GET " + path + b" HTTP/1.1\r\nHost: site0.example.com\r\nConnection: close\r\n\r\n"
    with suppress(OSError):
        connection: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=2.0)
        with connection:
            if tls:
                connection = tls_client_context().wrap_socket(connection)
            connection.sendall(request)
            return connection.recv(4096).split(b" ", 2)[1:2] == [b"200"]
    return False


def returns_datagram(port: int) -> bool:
    """Return True if a datagram to `port` comes back now."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        probe.connect(("127.0.0.1", port))
        probe.send(b"ready?")
        return probe.recv(64) == b"ready?"
    return False


def greets(port: int) -> bool:
    """Return True if a mail server greets on `port` now."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2.0) as probe:
        return probe.recv(64).startswith(b"220 ")
    return False


def last_lines(text: str, count: int = 3, width: int = 300) -> str:
    """The last `count` lines of `text` that say something, each cut to `width` characters."""
    lines = [line.strip()[:width] for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])


class Processes:
    """Running commands, the first one being the main process. Output goes to `folder`."""

    def __init__(self, commands: list[list[str]], folder: Path, core: int) -> None:
        self._folder = folder
        self.began = time.monotonic()
        self._popens = [self._start(command, core, index) for index, command in enumerate(commands)]

    def _start(self, command: list[str], core: int, index: int) -> subprocess.Popen[bytes]:
        with (
            (self._folder / f"stdout{index}.log").open("wb") as out,
            (self._folder / f"stderr{index}.log").open("wb") as err,
        ):
            return subprocess.Popen(
                on_core(core, command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self._folder,
                env={**os.environ, "HOME": str(self._folder), "XDG_DATA_HOME": str(self._folder)},
                start_new_session=True,
            )

    def wait_until_serving(
        self, port: int, path: bytes, *, tls: bool = False, limit: float = START_LIMIT
    ) -> float:
        """Seconds from the start of the first process to its first 200. Raises StartError after `limit`."""
        return self.wait_until(lambda: answers(port, path, tls=tls), limit)

    def wait_until(self, serving: Callable[[], bool], limit: float = START_LIMIT) -> float:
        """Return the seconds from the start of the first process until `serving`. Raises StartError after `limit`."""
        while time.monotonic() - self.began < limit:
            if serving():
                return time.monotonic() - self.began
            if any(popen.poll() is not None for popen in self._popens):
                break
            time.sleep(POLL)
        raise StartError(self._last_words())

    def usage(self) -> Usage:
        """What the process trees have used so far. Raises StartError when the main process has ended."""
        tree = proc.descendants([popen.pid for popen in self._popens], proc.read_all())
        main = tree.get(self._popens[0].pid)
        if main is None or self._popens[0].poll() is not None:
            raise StartError(f"ended during the run: {self._last_words()}")
        master = main.cpu if any(stat.parent == main.pid for stat in tree.values()) else 0.0
        return Usage(sum(stat.cpu for stat in tree.values()), master, sum(stat.rss for stat in tree.values()))

    def stop(self) -> None:
        """SIGTERM, then SIGKILL for what is left of the trees; waits for all of them."""
        pids = set(proc.descendants([popen.pid for popen in self._popens], proc.read_all()))
        for popen in reversed(self._popens):
            popen.terminate()
        deadline = time.monotonic() + STOP_LIMIT
        for popen in self._popens:
            try:
                popen.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()
        for stat in proc.read_all():
            if stat.pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(stat.pid, signal.SIGKILL)

    def _last_words(self) -> str:
        logs = sorted(self._folder.glob("std*.log"))
        return last_lines("\n".join(log.read_text(errors="replace") for log in logs)) or "it said nothing"
