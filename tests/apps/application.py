"""A real web application as a process, and `adc run` in front of it."""

import asyncio
import contextlib
import os
import signal
import subprocess

import aiohttp
import pytest

from tests.kit.ports import free_port
from tests.wire.service import ROOT, Service, until

BIN = ROOT / os.environ.get("ADC_TEST_APPS", ".venv-apps") / "bin"
START = 90
"""Seconds that an application may take until it answers."""

CONFIG = """
workers: 2
listeners: [{name: web, bind: "@web"}]
routes: [{pool: app}]
pools: {app: {members: ["@member"]}}
admin: {bind: "@admin"}
"""

installed = pytest.mark.skipif(
    not (BIN.parent / ".installed").exists(),
    reason="run `make test-apps`: the applications are not installed",
)


def environment():
    """As on the user's own terminal, without what pytest or our own environment set."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "VIRTUAL", "PYTHON"))
    }
    return {**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def command(*arguments, cwd, **environ):
    """Run a command of the applications' environment to its end."""
    program, *rest = arguments
    subprocess.run(
        [BIN / program, *rest],
        cwd=cwd,
        env={**environment(), **environ},
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=START,
    )


def _started(folder, program, *arguments):
    with (folder / "application.log").open("wb") as log:
        return subprocess.Popen(
            [BIN / program, *arguments],
            cwd=folder,
            env=environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


@contextlib.asynccontextmanager
async def application(folder, *arguments, port):
    """The application as a process group of its own, until it answers; ended at the end."""
    process = _started(folder, *arguments)
    try:
        async with asyncio.timeout(START):
            while not await _answers(port):
                assert process.poll() is None, (folder / "application.log").read_text()
                await asyncio.sleep(0.1)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, 10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


async def _answers(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@contextlib.asynccontextmanager
async def browser(folder, port):
    """A client with cookies whose base address is `adc run` in front of the application at `port`."""
    service = Service(folder)
    service.write(CONFIG, member=port)
    try:
        await service.started()
        base = f"http://127.0.0.1:{service.port}"
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address, too
        async with aiohttp.ClientSession(base, cookie_jar=jar, headers={"Origin": base}) as session:
            yield session
    finally:
        service.close()


__all__ = ["application", "browser", "command", "free_port", "installed", "until"]
