"""Clients that are slow on purpose: slowhttptest in its modes, while others are served."""

import asyncio
import re
import shutil
import time

from tests.faults.load import Traffic
from tests.faults.setting import configuration, members, report, running

CONNECTIONS = 400
SECONDS = 12
LISTENER = {"timeouts": {"request_head": "3s", "request_body": "3s", "write": "3s", "keep_alive": "5s"}}


def _attack(*mode):
    async def attacked(folder):
        if shutil.which("slowhttptest") is None:
            return None
        async with members() as pool:
            config = configuration([member.address for member in pool], listener=LISTENER)
            async with running(folder, config) as service, Traffic(service.port) as traffic:
                await asyncio.sleep(2)
                struck = time.monotonic()
                told = await _slowhttptest(service.port, *mode)
                over = time.monotonic()
        found = report(traffic, struck, over, note=_held(told))
        found.recovered = 0.0
        if found.failed:
            found.wrong = "other clients were not served"
        return found

    return attacked


async def _slowhttptest(port, *mode):
    process = await asyncio.create_subprocess_exec(
        "slowhttptest", *mode, "-c", str(CONNECTIONS), "-r", "200", "-i", "2", "-l", str(SECONDS), "-p", "3",
        "-u", f"http://127.0.0.1:{port}/",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told = (await process.communicate())[0].decode(errors="replace")
    return re.sub(r"\x1b\[[0-9;]*m", "", told)  # without its colours


def _held(told):
    """How many of the attacker's connections were left at the end."""
    ended = [line for line in told.splitlines() if "Exit status" in line or line.startswith("connected:")]
    return "; ".join(line.strip() for line in ended[-2:])


SCENARIOS = {
    "slow heads (slowhttptest -H)": _attack("-H", "-x", "24"),
    "slow bodies (slowhttptest -B)": _attack("-B", "-x", "10", "-s", "8192"),
    "slow reads (slowhttptest -X)": _attack("-X", "-w", "8", "-y", "16", "-n", "2", "-z", "8", "-k", "3"),
    "ranges (slowhttptest -R)": _attack("-R", "-a", "10", "-b", "3000"),
}
