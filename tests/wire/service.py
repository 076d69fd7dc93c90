"""A real `adc run` for tests: started, asked, told by signals, always ended."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit import adc_commands
from tests.kit.adc_commands import ROOT, Command
from tests.kit.ports import free_port

PATIENCE = 30
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


async def http(port, path="/", *, method="GET", fields=None, body=b""):
    """One request on a connection of its own: status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        lines = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": len(body)} | (fields or {})
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
    finally:
        writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), content


@dataclass
class Service:
    """`adc run` on a configuration file in `folder`, which tells us by sd_notify how it is."""

    folder: Path
    port: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    process: subprocess.Popen | Command | None = None

    def __post_init__(self):
        self.config = self.folder / "adc.yaml"
        self.pidfile = self.folder / "adc.pid"
        self.log = self.folder / "adc.log"
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(self.folder / "notify"))
        self.manager.setblocking(False)

    def write(self, text, **names):
        """Write the configuration; `@web` and `@admin` are the ports."""
        for name, value in {"web": self.port, "admin": self.admin, **names}.items():
            text = text.replace(f"@{name}", f"127.0.0.1:{value}")
        self.config.write_text(text)

    def command(self, *arguments):
        return [sys.executable, "-m", "adc", *arguments]

    def start(self, *options, environ=None, output=None, **kwargs):
        """Start it; does not wait. It prints to `output`, the file `log` by default.

        A start with another environment for Python, or with what only `subprocess.Popen` can do, imports adc anew.
        """
        arguments = ["run", str(self.config), "--pidfile", str(self.pidfile), *options]
        own = environ or {}
        environ = {**os.environ, "NOTIFY_SOCKET": self.manager.getsockname(), **own}
        with self.log.open("ab") as log:
            if kwargs or any(name.startswith("PYTHON") for name in own):
                self.process = subprocess.Popen(
                    kwargs.pop("command", self.command(*arguments)),
                    cwd=kwargs.pop("cwd", ROOT),
                    env=environ,
                    stdout=output or log,
                    stderr=output or log,
                    **kwargs,
                )
            else:
                self.process = adc_commands.start(arguments, (output or log).fileno(), environ=environ)

    async def started(self, *options, **kwargs):
        """Start it and wait until it says that it serves."""
        self.start(*options, **kwargs)
        await self.told("READY=1")

    async def activated(self, listening):
        """Start it on a socket as systemd does, and wait until it says that it serves."""
        arguments = ("run", str(self.config), "--pidfile", str(self.pidfile))
        await self.started(
            command=[sys.executable, "-c", ACTIVATE, str(listening.fileno()), *self.command(*arguments)[1:]],
            pass_fds=[listening.fileno()],
        )

    async def told(self, line):
        """Wait until the service manager hears `line`; one that ends by itself before is not waited for."""
        heard = asyncio.ensure_future(self._hear(line.encode()))
        try:
            async with asyncio.timeout(PATIENCE):
                while not (await asyncio.wait({heard}, timeout=0.1))[0]:
                    if self.process.poll() and self._pid_in_file() in (None, self.process.pid):
                        raise AssertionError(f"adc ended:\n{self.log.read_text()[-4000:]}")
            await heard
        finally:
            heard.cancel()

    async def _hear(self, line):
        loop = asyncio.get_running_loop()
        while line not in (await loop.sock_recv(self.manager, 4096)).split(b"\n"):
            pass

    def signal(self, number):
        os.kill(int(self.pidfile.read_text()), number)

    async def ended(self):
        """The exit code, once it has ended; AssertionError with the end of its log if it goes on."""
        try:
            return await asyncio.to_thread(self.process.wait, PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"adc goes on:\n{self.log.read_text()[-4000:]}") from None

    async def get(self, path="/"):
        return await http(self.port, path)

    async def status(self):
        return json.loads((await http(self.admin, "/api/v1/status"))[1])

    async def metrics(self):
        return (await http(self.admin, "/metrics"))[1].decode().splitlines()

    async def open_connections(self):
        """Return how many connections to its port each worker has, by the kernel's tables."""
        return [_sockets(worker["pid"], self.port) for worker in (await self.status())["workers"]]

    async def account(self):
        """What its metrics and the end of its log say: for the note of a failed test."""
        try:
            async with asyncio.timeout(5):
                lines = [
                    line for line in await self.metrics() if line[:1] != "#" and not line.endswith(" 0.0")
                ]
        except (OSError, TimeoutError, ValueError, IndexError) as error:
            lines = [f"no metrics: {error!r}"]
        return "\n".join([f"== {self.folder.name}", *lines, self.log.read_text()[-4000:]])

    async def run(self, *arguments):
        """Run another verb; returns its exit code and what it printed."""
        return await asyncio.to_thread(adc_commands.run, arguments, PATIENCE)

    def close(self):
        """End whatever still runs: the process we started, and one that took its place."""
        self.manager.close()
        for pid in {self.process and self.process.pid, self._pid_in_file()} - {None}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        if self.process is not None:
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _pid_in_file(self):
        try:
            return int(self.pidfile.read_text())
        except (OSError, ValueError):
            return None


@contextlib.asynccontextmanager
async def explained(*services):
    """Note in a failure meanwhile what these services that still run say of themselves."""
    try:
        yield
    except Exception as error:
        for service in services:
            error.add_note(await service.account())
        raise


async def until(condition, pause=0.02):
    """Wait until `await condition()` is true, looking every `pause` seconds; AssertionError if it stays false."""
    end = time.monotonic() + PATIENCE
    while not await condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(pause)


def _sockets(pid, port):
    """Return connections to `port` that a process has, by the kernel's tables."""
    table = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in table]
    ours = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"}
    found = 0
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            found += os.readlink(f"/proc/{pid}/fd/{descriptor}") in ours
    return found


def alive(pid):
    """True while the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
