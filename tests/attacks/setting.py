"""The vulnerable shop behind `adc run`, with and without the firewall."""

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.kit.crs import crs_folder
from tests.wire.service import ROOT, Service

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
"""The tools pass for a browser, so that it is not their name that is found."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool found: `found` of `tried`."""

    name: str
    found: int
    tried: int
    note: str = ""
    wrong: str = ""


def protections() -> dict[str, dict | None]:
    """Return options of the firewall by name, None for a route without it; the OWASP CRS only where it is."""
    folder = crs_folder()
    crs = {"OWASP CRS": {"rules": [str(folder)], "mode": "block"}} if folder else {}
    return {"none": None, "core": {"rules": ["core"], "mode": "block"}, **crs}


@contextlib.asynccontextmanager
async def shop():
    """Run the vulnerable application; its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.kit.vulnerable_app",
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(15):
            port = int(await process.stdout.readline())
        yield port
    finally:
        process.stdin.close()
        await process.wait()


@contextlib.asynccontextmanager
async def protected(folder: Path, member: int, options: dict | None):
    """Run adc before the application on port `member`; its port."""
    await asyncio.to_thread(folder.mkdir)
    route = {"pool": "shop", **({} if options is None else {"plugins": [{"waf": options}]})}
    config = {
        "workers": 1,
        "listeners": [{"name": "web", "bind": "@web"}],
        "routes": [route],
        "pools": {"shop": {"members": [f"127.0.0.1:{member}"]}},
        "admin": {"bind": "@admin"},
        "access_log": {"path": str(folder / "access.log")},
    }
    service = Service(folder)
    try:
        service.write(yaml.safe_dump(config))
        await service.started()
        yield service.port
    finally:
        service.close()


async def output(*command: str, folder: Path, limit: float = 300) -> str:
    """Return what `command` prints; it is killed after `limit` seconds."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "NO_PROXY": "*"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(limit):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return printed.decode("utf-8", "replace")
