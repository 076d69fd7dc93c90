"""PostgreSQL with pgbench: clients that stay connected, and a connection for each transaction."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from glob import glob
from pathlib import Path

from tests.clients.application import Application, Member, Tally, program

USER = "postgres"
RUN_SECONDS = 3
CLIENTS = 4
_PROCESSED = re.compile(r"transactions actually processed: (\d+)")
_FAILED = re.compile(r"number of failed transactions: (\d+)")
_ABORTED = re.compile(
    r"client \d+ aborted|connection to server .* failed|perhaps the backend died", re.MULTILINE
)
_SETTINGS = (
    "fsync=off",
    "autovacuum=off",
    "max_connections=60",
    "shared_buffers=8MB",
    "listen_addresses=127.0.0.1",
)


def server_program(name: str) -> str | None:
    """Return the path of one of PostgreSQL's own programs, which Debian keeps outside the path."""
    found = sorted(glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found[-1] if found else program(name)


class Postgres(Application):
    """Two instances with the same tables, which pgbench reads."""

    name = "postgres"
    in_flight = 2 * CLIENTS

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.members = [Member(folder / name, _command, USER) for name in ("one", "two")]

    def missing(self) -> str | None:
        needed = {"initdb": server_program("initdb"), "pgbench": program("pgbench")}
        absent = [name for name, path in needed.items() if path is None]
        if absent:
            return f"not installed: {', '.join(absent)} (Debian: postgresql, postgresql-contrib)"
        return (
            None
            if os.geteuid() == 0
            else "PostgreSQL refuses root, and only root may start it as another user"
        )

    def start(self) -> None:
        """Make the tables once, copy them, and start both instances."""
        one, two = self.members
        one.folder.mkdir(parents=True)
        for folder in (self.folder, one.folder):
            shutil.chown(folder, USER, USER)
        data = one.folder / "data"
        _run(
            server_program("initdb"),
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            USER,
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C",
        )
        one.start(self.ready)
        _run(program("pgbench"), "-i", "-q", "-h", "127.0.0.1", "-p", one.port, "-U", USER, "postgres")
        one.stop()
        _run("cp", "-a", one.folder, two.folder)
        super().start()

    def ready(self, port: int) -> None:
        """Ask as pg_isready does: a listening server may still be starting."""
        isready = program("pg_isready") or server_program("pg_isready")
        if subprocess.run([isready, "-q", "-h", "127.0.0.1", "-p", f"{port}"], check=False).returncode:
            raise ConnectionRefusedError("not ready")

    def loads(self, tally: Tally) -> list[Callable[[], None]]:
        return [lambda: self._bench(tally), lambda: self._bench(tally, "-C")]

    def _bench(self, tally: Tally, *options: str) -> None:
        """Run pgbench, a few seconds each, until the tally is over; it gives up a client whose connection breaks."""
        command = [
            program("pgbench"),
            "-n",
            "-S",
            "-c",
            f"{CLIENTS}",
            "-R",
            "400",
            "-T",
            f"{RUN_SECONDS}",
            *options,
        ]
        command += ["-h", "127.0.0.1", "-p", f"{self.port}", "-U", USER, "postgres"]
        while not tally.over.is_set():
            began = tally.phase
            ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            tally.count(_number(_PROCESSED, ended.stdout))
            broken = len(_ABORTED.findall(ended.stderr)) or int(ended.returncode != 0)
            if failed := broken + _number(_FAILED, ended.stdout):
                tally.fail(ended.stderr.strip().partition("\n")[0], began, failed)
                time.sleep(0.1)


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return int(found[1]) if found else 0


def _command(folder: Path, port: int) -> list[str]:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    return [
        f"{server_program('postgres')}",
        "-D",
        f"{folder / 'data'}",
        "-p",
        f"{port}",
        "-k",
        f"{folder}",
        *settings,
    ]


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    ended = subprocess.run(
        words, capture_output=True, text=True, user=USER, extra_groups=[], cwd="/", check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(words)}: {ended.stderr}")
