"""Real processes inside the networks of the laboratory: nodes of adc and a redis-server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import yaml

from adc.cli.lab.namespace import Namespace

ADMIN_PORT = 9901
REDIS_PORT = 6379
START_SECONDS = 20.0
_PACKAGE = Path(__file__).parents[3]
_TAIL = 2000


class DoesNotStart(Exception):
    """A process did not serve in time; the message carries what it wrote."""


@contextmanager
def node(space: Namespace, folder: Path, configuration: dict[str, object]) -> Iterator[Path]:
    """Run `adc run` inside and yield its configuration file once it serves. Raises DoesNotStart."""
    path = folder / f"{space.role}.yaml"
    data = {"workers": 1, "admin": {"bind": f"127.0.0.1:{ADMIN_PORT}"}, **configuration}
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    runtime = folder / f"{space.role}-runtime"
    runtime.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / f"{space.role}-notify"))
        manager.settimeout(START_SECONDS)
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": manager.getsockname(),
            "RUNTIME_DIRECTORY": str(runtime),
            "PYTHONPATH": str(_PACKAGE),
        }
        command = [sys.executable, "-P", "-m", "adc", "run", str(path)]
        with (folder / f"{space.role}.log").open("wb") as log:
            process = space.start(command, stdout=log, stderr=log, env=environment, cwd=folder)
        _wait(lambda: b"READY=1" in manager.recv(4096), process, folder / f"{space.role}.log")
        try:
            yield path
        finally:
            process.send_signal(signal.SIGINT)


def wait_for_other(space: Namespace) -> None:
    """Wait until the node inside has met another node of its cluster. Raises DoesNotStart."""
    deadline = time.monotonic() + START_SECONDS
    while not space.call(_knows_another):
        if time.monotonic() > deadline:
            raise DoesNotStart(f"node {space.role} meets no other node")
        time.sleep(0.05)


def _knows_another() -> bool:
    connection = HTTPConnection("127.0.0.1", ADMIN_PORT, timeout=2.0)
    try:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return any(line.startswith("adc_cluster_nodes") and float(line.rpartition(" ")[2]) >= 1 for line in lines)


@contextmanager
def redis(space: Namespace, folder: Path, address: str) -> Iterator[str]:
    """Run a redis-server inside and yield its URL once it serves. Raises DoesNotStart."""
    log = folder / "redis.log"
    command = [
        "redis-server",
        "--bind",
        address,
        "--port",
        str(REDIS_PORT),
        "--save",
        "",
        "--protected-mode",
        "no",
    ]
    with log.open("wb") as output:
        process = space.start([*command, "--dir", str(folder)], stdout=output, stderr=output)
    _wait(lambda: _connects(space, address), process, log)
    yield f"redis://{address}:{REDIS_PORT}/0"


def _connects(space: Namespace, address: str) -> bool:
    try:
        space.connect(address, REDIS_PORT, 1.0).close()
    except OSError:
        time.sleep(0.02)
        return False
    return True


def _wait(serving: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if serving():
                return
        except TimeoutError:
            break
    raise DoesNotStart(f"{process.args!r}: {log.read_text(errors='replace')[-_TAIL:]}")
