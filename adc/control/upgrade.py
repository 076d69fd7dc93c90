"""Binary upgrade: the next program starts on the same sockets; once it serves, this one drains."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Mapping

from adc.control.activation import UPGRADE_FDS, UPGRADE_HANDOVER, UPGRADE_READY
from adc.control.handover import Handover

START_TIMEOUT = 30.0


class UpgradeFailed(Exception):
    """The new program did not come to serve; the old one goes on."""


async def upgrade(
    sockets: Mapping[str, socket.socket], handover: Handover, *, timeout: float = START_TIMEOUT
) -> int:
    """Start this command line again with `sockets` (by address key) and `handover`; return its process id once it
    serves.

    Raises UpgradeFailed.
    """
    ready, report = os.pipe()
    try:
        process = _start(sockets, handover, report)
    except OSError as error:
        os.close(ready)
        raise UpgradeFailed(f"cannot start the new program: {error}") from error
    finally:
        os.close(report)
    try:
        async with asyncio.timeout(timeout):
            said = await _first_word(ready)
    except TimeoutError:
        said = b""
    finally:
        os.close(ready)
    if said:
        return process.pid
    process.kill()
    code = await asyncio.to_thread(process.wait)
    raise UpgradeFailed(f"the new program did not come to serve (exit code {code}); its messages say why")


def _start(sockets: Mapping[str, socket.socket], handover: Handover, report: int) -> subprocess.Popen[bytes]:
    named = "\n".join(f"{sock.fileno()}={key}" for key, sock in sockets.items())
    left = handover.write()
    try:
        return subprocess.Popen(
            [sys.executable, *sys.orig_argv[1:]],
            env={**os.environ, UPGRADE_FDS: named, UPGRADE_HANDOVER: str(left), UPGRADE_READY: str(report)},
            pass_fds=[left, report, *(sock.fileno() for sock in sockets.values())],
        )
    finally:
        os.close(left)


async def _first_word(fd: int) -> bytes:
    loop = asyncio.get_running_loop()
    readable = loop.create_future()
    loop.add_reader(fd, readable.set_result, None)
    try:
        await readable
    finally:
        loop.remove_reader(fd)
    return os.read(fd, 16)
