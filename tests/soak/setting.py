"""`adc run` before a member process, and what its workers hold in memory."""

import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from adc.control.allocator import FIRST_PAUSE, TRIM_SECONDS
from tests.faults.setting import running
from tests.kit.ports import free_port
from tests.wire.service import ROOT, http

WORKERS = 2
MAY_KEEP = 20
"""Megabytes that the workers together may hold more at the end than at the beginning."""

SETTLE_SECONDS = TRIM_SECONDS + 2
RETURN_SECONDS = FIRST_PAUSE * TRIM_SECONDS + SETTLE_SECONDS
IDLE_SECONDS = 45
KEEP_ALIVE = "5s"


def configuration(folder, port):
    """Two stores, a route for each scenario."""
    routes = [
        {"name": "large", "match": {"path": "/large"}, "cache": "large"},
        {"name": "vary", "match": {"path": "/vary/"}, "cache": "small"},
        {"name": "cached", "match": {"path": "/cached/"}, "cache": "small", "compression": True},
        {"name": "coded", "match": {"path": ["/coded/", "/hollow"]}, "compression": True},
        {"name": "silent", "match": {"path": ["/silent", "/drip"]}, "timeouts": {"response_head": "2s"}},
        {"name": "rest"},
    ]
    probe = {"name": "probe", "match": {"path": "/probe"}, "respond": {"body": "ok"}}
    disk = {"path": str(folder / "cache"), "size": "8MB"}
    return {
        "workers": WORKERS,
        "listeners": [{"name": "web", "bind": "@web", "timeouts": {"keep_alive": KEEP_ALIVE}}],
        "routes": [probe, *({"pool": "app", **route} for route in routes)],
        "pools": {"app": {"members": [f"127.0.0.1:{port}"]}},
        "caches": {"large": {"memory": "64MB"}, "small": {"memory": "16MB", "disk": disk}},
        "admin": {"bind": "@admin"},
        "access_log": False,
    }


@dataclass
class Setting:
    """A running service. `most`: the largest sum of resident megabytes of its workers that was seen."""

    service: object
    folder: Path
    most: float = 0.0
    delays: list[float] = field(default_factory=list)

    @property
    def port(self):
        return self.service.port

    @property
    def resident(self):
        """Resident megabytes of all workers together."""
        root = self.service.process.pid
        pids = Path(f"/proc/{root}/task/{root}/children").read_text().split()
        return sum(_resident(pid) for pid in pids)

    @property
    def stored(self):
        """Megabytes in the folder of the disk tier, its index included."""
        files = (path for path in (self.folder / "cache").rglob("*") if path.is_file())
        return sum(path.stat().st_blocks * 512 for path in files) / 1e6

    async def purge(self):
        """Empty both stores."""
        json_fields = {"Content-Type": "application/json"}
        status, answer = await http(
            self.service.admin,
            "/api/v1/cache/purge",
            method="POST",
            fields=json_fields,
            body=b'{"all": true}',
        )
        assert status == 200, answer

    async def settled(self, target=None):
        """Resident megabytes once no client is connected and they do not fall any more; with a `target`, once they are
        at most that, or after the further trim that follows the one at the peak."""
        end = time.monotonic() + IDLE_SECONDS
        while await self._connected() and time.monotonic() < end:
            await asyncio.sleep(0.25)
        lowest = self.resident
        patience = SETTLE_SECONDS if target is None else RETURN_SECONDS
        end = time.monotonic() + patience
        while (target is None or lowest > target) and time.monotonic() < end:
            await asyncio.sleep(0.25)
            found = self.resident
            if found < lowest - 0.5:
                lowest, end = found, time.monotonic() + patience
        return lowest

    async def _connected(self):
        lines = [line for line in await self.service.metrics() if line.startswith("adc_connections_active{")]
        return any(not line.endswith(" 0.0") for line in lines)

    @contextlib.asynccontextmanager
    async def watched(self):
        """Note the peak, and how long another client waits for an answer of adc itself all the while."""
        tasks = [asyncio.ensure_future(self._sample()), asyncio.ensure_future(self._probe())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _sample(self):
        while True:
            self.most = max(self.most, self.resident)
            await asyncio.sleep(0.05)

    async def _probe(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            while True:
                sent = time.monotonic()
                writer.write(b"GET /probe HTTP/1.1\r\nHost: a\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
                self.delays.append(time.monotonic() - sent)
                await asyncio.sleep(0.02)
        finally:
            writer.close()


def _resident(pid):
    """Megabytes of a process without mapped files: pages of the cache index are the system's, shared by all workers."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) / 1024


@contextlib.asynccontextmanager
async def setting(folder):
    """A member and `adc run` before it."""
    port = free_port()
    member = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.member", str(port), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await member.stdout.readline() == b"ready\n"
        async with running(folder, configuration(folder, port)) as service:
            yield Setting(service, folder)
    finally:
        member.kill()
        await member.wait()
