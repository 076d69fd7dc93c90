"""An application with two members, and what its clients notice while they use it through adc."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.kit.ports import free_port

START_SECONDS = 20
STOP_SECONDS = 10


RELOADS, KILLED, BACK = PHASES = ("reloads", "member killed", "member back")


class Tally:
    """Operations that succeeded and failed, by phase."""

    def __init__(self) -> None:
        self.phase = RELOADS
        self.over = threading.Event()
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.reasons: dict[str, str] = {}
        self._lock = threading.Lock()

    def count(self, done: int = 1) -> None:
        """Count operations that succeeded."""
        with self._lock:
            self.done[self.phase] += done

    def fail(self, why: object, began: str, failed: int = 1) -> None:
        """Count operations that failed, and keep the first reason of a phase.

        One that was under way when its phase ended belongs to `KILLED`, in which a member was away.
        """
        with self._lock:
            phase = began if began == self.phase else KILLED
            self.failed[phase] += failed
            self.reasons.setdefault(phase, f"{why}"[:200])

    def repeat(self, operation: Callable[[], object], pause: float = 0.002) -> None:
        """Repeat an operation, `pause` seconds apart, until the run is over."""
        while not self.over.wait(pause):
            began = self.phase
            try:
                operation()
            except Exception as error:
                self.fail(f"{type(error).__name__}: {error}", began)
            else:
                self.count()


class Member:
    """One process of a server on 127.0.0.1, which may be killed and started again."""

    def __init__(
        self, folder: Path, command: Callable[[Path, int], Sequence[str]], user: str | None = None
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self._command = command
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Return host and port as a pool names them."""
        return f"127.0.0.1:{self.port}"

    def start(self, ready: Callable[[int], object]) -> None:
        """Start it and wait until `ready(port)` raises no OSError. Raises RuntimeError with its output."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = (
            {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}
        )
        with (self.folder / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(self.folder, self.port),
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
                **options,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                ready(self.port)
                return
            except OSError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError(f"{self._process.args}: {error}: {self.output()}") from error
                time.sleep(0.02)

    def kill(self) -> None:
        """Kill it with all its children."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Interrupt it, so that it keeps its data in order, and kill it if it does not end in time."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self.kill()

    def output(self) -> str:
        """Return the end of what it wrote."""
        return (self.folder / "output.log").read_text(errors="replace")[-2000:]


class Application:
    """A kind of server. Subclasses say how it starts, what adc listens for and what its clients do."""

    name = ""
    protocol = "tcp"
    programs: tuple[str, ...] = ()
    in_flight = 0
    """Operations that the death of a member may cost: those that it has accepted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.members: list[Member] = []

    def missing(self) -> str | None:
        """Return what is not installed here, or None."""
        absent = [name for name in self.programs if program(name) is None]
        return f"not installed: {', '.join(absent)}" if absent else None

    def start(self) -> None:
        """Start both members."""
        for member in self.members:
            member.start(self.ready)

    def ready(self, port: int) -> None:
        """Raise OSError while the member on `port` does not serve."""
        socket.create_connection(("127.0.0.1", port), 1).close()

    def configuration(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return listeners and pools of adc."""
        listener = {
            "name": self.name,
            "bind": f"127.0.0.1:{self.port}",
            "protocol": self.protocol,
            "pool": self.name,
        }
        return [listener], {self.name: self.pool()}

    def pool(self) -> dict[str, Any]:
        """Return the pool of the members, with health checks."""
        members = [member.address for member in self.members]
        return {
            "members": members,
            "health": {"active": {"tcp": True, "interval": "200ms", "fall": 1, "rise": 1}},
        }

    def loads(self, tally: Tally) -> list[Callable[[], None]]:
        """Return what the threads of the clients run until the tally is over."""
        raise NotImplementedError

    def kill_member(self) -> None:
        """Kill the first member."""
        self.members[0].kill()

    def restart_member(self) -> None:
        """Start the first member again."""
        self.members[0].start(self.ready)

    def stop(self) -> None:
        """Kill all members: nobody needs what they have kept."""
        for member in self.members:
            member.kill()


def program(name: str) -> str | None:
    """Return the path of a program, also of one that only root has on its path."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")
