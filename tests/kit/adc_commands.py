"""`adc` commands as processes that need not import adc first.

That would take half a second of a processor, for each of hundreds of commands. They are forked instead from a process
that has imported it, and is started at the first command. What a start itself does has tests that start a program.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from adc.cli.lab.namespace import Namespace

ROOT = Path(__file__).parents[2]

_PR_SET_PDEATHSIG = 1

IMPORTED_LATE = (
    "adc.admin.server",
    "adc.control.preflight",
    "adc.runtime.operations.connections",
    "adc.runtime.operations.place",
    "adc.runtime.serve.cluster_listener",
    "adc.state.redis",
    "encodings.idna",
    "prometheus_client",
    "typer._adapters",
)
"""What adc imports at its first use, and most commands of tests do use."""

_MESSAGE = 1 << 17
"""Bytes of the largest request: above all an environment."""


class Command:
    """A command that was started; what `subprocess.Popen` offers of it."""

    def __init__(self, importer: _Importer, pid: int) -> None:
        self._importer = importer
        self._ended = os.pidfd_open(pid)
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, None if it still runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            poll = select.poll()  # any descriptor: a tester may have more than select() takes
            poll.register(self._ended, select.POLLIN)
            if not poll.poll(None if timeout is None else timeout * 1000):
                raise subprocess.TimeoutExpired(f"adc, process {self.pid}", timeout or 0)
            self.returncode = self._importer.ask(self.pid)
            os.close(self._ended)
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


class _Importer:
    """The process that has imported adc, as its parent sees it."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asking = threading.Lock()
        with theirs:
            command = [sys.executable, "-m", "tests.kit.adc_commands", str(theirs.fileno())]
            self._process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])

    def end(self) -> None:
        """Wait until it has ended; commands that still run are told to."""
        self._channel.close()
        self._process.wait()

    def ask(self, request: Any, descriptors: Sequence[int] = ()) -> int:
        """The process id of a command that is asked for, the exit code of an ended process."""
        with self._asking:
            socket.send_fds(self._channel, [pickle.dumps(request)], descriptors)
            reply: int = pickle.loads(self._channel.recv(_MESSAGE))
            return reply


_importers: dict[Namespace | None, _Importer] = {}
_starting = threading.Lock()


def _importer(space: Namespace | None) -> _Importer:
    with _starting:
        if space not in _importers:
            _importers[space] = _Importer() if space is None else space.call(_Importer)
        return _importers[space]


def end() -> None:
    """End what was started for commands of this process."""
    while _importers:
        _importers.popitem()[1].end()


def start(
    arguments: Sequence[str],
    output: int,
    *,
    cwd: Path = ROOT,
    environ: Mapping[str, str] = os.environ,
    space: Namespace | None = None,
) -> Command:
    """Start `adc` with `arguments`, inside `space`; it prints to the descriptor `output`."""
    importer = _importer(space)
    request = (list(arguments), str(cwd), dict(environ))
    return Command(importer, importer.ask(request, [output]))


def run(arguments: Sequence[str], seconds: float, space: Namespace | None = None) -> tuple[int, str]:
    """Run `adc` with `arguments`, inside `space`; return its exit code and what it printed. Raises
    subprocess.TimeoutExpired."""
    with tempfile.TemporaryFile() as output:
        command = start(arguments, output.fileno(), space=space)
        try:
            code = command.wait(seconds)
        except subprocess.TimeoutExpired:
            command.kill()
            command.wait()
            raise
        output.seek(0)
        return code, output.read().decode()


def _import_all() -> None:
    import adc.cli.app
    import adc.control.start
    import adc.runtime.preload
    from adc.config import Config

    adc.runtime.preload.preload()
    for name in IMPORTED_LATE:
        import_module(name)
    adc.cli.app.app = typer.main.get_command(adc.cli.app.app)  # else each command makes its own
    Config.model_rebuild()
    sys.path.remove(str(ROOT))  # as adc itself leaves out the current folder
    gc.freeze()


def _serve(channel: socket.socket) -> bool:
    """Fork commands; return True in each of them, False once nobody can ask for more."""
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, _MESSAGE, 1)
        if not data:
            return False
        request = pickle.loads(data)
        if isinstance(request, int):
            reply = os.waitstatus_to_exitcode(os.waitpid(request, 0)[1])
        else:
            reply = os.fork()
            if reply == 0:
                _become(*request, descriptors[0])
                return True
            os.close(descriptors[0])
        channel.send(pickle.dumps(reply))


def _become(arguments: list[str], cwd: str, environ: dict[str, str], output: int) -> None:
    """Have this process look as if it had been started as the command. It ends after the process that forked it, which
    ends with the tests, however they end."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["adc", *arguments]
    sys.orig_argv = [sys.executable, "-m", "adc", *arguments]
    gc.enable()


def _main() -> None:
    _import_all()
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        command = _serve(channel)
    if command:
        from adc.cli import main

        code: object = 1
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        _exit(code if isinstance(code, int) else 1)


def _exit(code: int) -> None:
    """End this process as Python does, except that it frees nothing: to free is to copy every page that it shares."""
    try:
        threading._shutdown()  # waits for its threads
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _main()
