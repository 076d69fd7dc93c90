"""Members and `adc run` as real processes, and what a fault came to."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass

import yaml

from tests.faults.load import percentile
from tests.kit.ports import free_port
from tests.wire.service import ROOT, Service

HEALTH = {
    "active": {"path": "/healthz", "interval": "250ms", "timeout": "500ms", "rise": 2, "fall": 2},
    "passive": {"failures": 5, "window": "10s", "eject": "2s", "max_ejected": "67%"},
}
RETRIES = {
    "attempts": 2,
    "on": ["connect_failure", "reset_before_response", "invalid_response", "timeout", "5xx"],
    "budget": "50%",
}


class Member:
    """A member process."""

    def __init__(self, number, host="127.0.0.1", prefix=(), port=0):
        self.name = f"m{number}"
        self.host = host
        self.port = port or free_port()
        self._prefix = prefix

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            *self._prefix,
            sys.executable,
            "-m",
            "tests.faults.member",
            self.host,
            str(self.port),
            self.name,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await self._said(b"ready\n")

    async def behave(self, mode):
        """Do as `mode` says from now on."""
        self.process.stdin.write(mode.encode() + b"\n")
        await self._said(f"now {mode}\n".encode())

    async def _said(self, line):
        async with asyncio.timeout(15):
            assert await self.process.stdout.readline() == line

    def signal(self, number):
        os.kill(self.process.pid, number)

    async def kill(self):
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
                self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def members(count=3):
    """Member processes on 127.0.0.1."""
    started = [Member(number) for number in range(count)]
    try:
        await asyncio.gather(*(member.start() for member in started))
        yield started
    finally:
        await asyncio.gather(*(member.kill() for member in started if hasattr(member, "process")))


def configuration(addresses, *, workers=2, route=None, pool=None, listener=None, **top):
    """The usual resilient pool over `addresses`."""
    timeouts = {"connect": "500ms", "response_head": "1s", "idle": "5s"}
    return {
        "workers": workers,
        "listeners": [{"name": "web", "bind": "@web", **(listener or {})}],
        "routes": [{"pool": "app", "timeouts": timeouts, "retries": RETRIES, **(route or {})}],
        "pools": {"app": {"members": list(addresses), "health": HEALTH, **(pool or {})}},
        "admin": {"bind": "@admin"},
        "access_log": False,
        "shutdown": {"grace": "20s"},
        **top,
    }


@contextlib.asynccontextmanager
async def running(folder, config, prefix=()):
    """`adc run` on `config`, its command behind `prefix`."""
    folder.mkdir(parents=True, exist_ok=True)
    service = Service(folder)
    try:
        service.write(yaml.safe_dump(config))
        arguments = ("run", str(service.config), "--pidfile", str(service.pidfile))
        await service.started(command=[*prefix, *service.command(*arguments)])
        yield service
    finally:
        service.close()


@dataclass
class Report:
    """What one fault came to. `note` says what else was seen, `wrong` what must not be."""

    sent: int
    failed: int
    begun: int
    repeated: int
    lost: int
    before: float
    after: float
    recovered: float
    note: str = ""
    wrong: str = ""


def report(traffic, struck, over=None, note=""):
    """Sum up `traffic`: the fault came at `struck` and was over at `over` (monotonic seconds)."""
    outcomes = traffic.outcomes
    disturbed = [
        each.sent + each.took - struck
        for each in outcomes
        if each.disturbed and each.sent + each.took > struck
    ]
    recovered = max(disturbed, default=0.0)
    settled = struck + recovered
    lost = sum(each.lost for each in outcomes)
    return Report(
        sent=len(outcomes),
        failed=sum(each.failed for each in outcomes),
        begun=sum(each.failed and each.begun for each in outcomes),
        repeated=sum(each.repeated for each in outcomes),
        lost=lost,
        before=percentile([each for each in outcomes if each.sent < struck], 0.99),
        after=percentile(
            [each for each in outcomes if each.sent > settled and each.sent < (over or time.monotonic())],
            0.99,
        ),
        recovered=recovered,
        note=note,
        wrong=f"{lost} idempotent requests lost" if lost else "",
    )
