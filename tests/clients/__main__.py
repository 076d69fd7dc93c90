"""Real clients through adc: `python -m tests.clients [--seconds 60] [NAME ...]`; exit code 1 if anything is wrong.

All applications run at once through one `adc run`. In the first half of the time adc is reloaded 20 times, which must
fail no operation. Then one member of each pool is killed, which may fail what it was doing, and is started again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import threading
from pathlib import Path

import yaml

from tests.clients.application import BACK, KILLED, PHASES, RELOADS, Application, Tally
from tests.clients.dns import Dns
from tests.clients.postfix import Postfix
from tests.clients.postgres import Postgres
from tests.clients.redis import Redis
from tests.clients.tls import Tls
from tests.kit.waiting import eventually
from tests.wire.service import Service, http

APPLICATIONS: tuple[type[Application], ...] = (Postgres, Redis, Dns, Tls, Postfix)
TIMES = 20
FORM = "{:10} {:>12} {:>12} {:>8}  {}"


def write(service: Service, applications: list[Application], version: int) -> None:
    """Write the configuration, which differs with each version."""
    listeners, pools = [], {}
    for application in applications:
        own, used = application.configuration()
        listeners += own
        pools |= used
    data = {
        "workers": 2,
        "listeners": listeners,
        "pools": pools,
        "admin": {"bind": "@admin"},
        "sessions": {"timeouts": {"tcp": f"{300 + version}s"}},
    }
    service.write(yaml.safe_dump(data, sort_keys=False))


async def reload(service: Service) -> None:
    """Reload as an operator does. Raises RuntimeError if adc refuses."""
    fields = {"Content-Type": "application/json"}
    status, content = await http(service.admin, "/api/v1/reload", method="POST", fields=fields)
    if status != 200 or b'"ok"' not in content:
        raise RuntimeError(f"the reload was refused: {content.decode()}")


async def exercise(
    folder: Path, applications: list[Application], seconds: float, times: int = TIMES
) -> dict[str, Tally]:
    """Run all clients for `seconds`, change what the phases change, and return what the clients counted."""
    service = Service(folder)
    tallies = {application.name: Tally() for application in applications}
    threads = []
    try:
        for application in applications:
            await asyncio.to_thread(application.start)
        write(service, applications, 0)
        await service.started()
        for application in applications:
            for load in application.loads(tallies[application.name]):
                threads.append(threading.Thread(target=load, name=application.name))
                threads[-1].start()
        await _phases(service, applications, tallies, seconds, times)
    finally:
        for tally in tallies.values():
            tally.over.set()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        service.close()
        for application in applications:
            application.stop()
    return tallies


async def _phases(
    service: Service, applications: list[Application], tallies: dict[str, Tally], seconds: float, times: int
) -> None:
    def begin(phase: str) -> None:
        for tally in tallies.values():
            tally.phase = phase

    async def end(phase: str, after: float) -> None:
        await asyncio.sleep(after)
        with contextlib.suppress(AssertionError):  # `judge` tells which clients did nothing
            await eventually(lambda: all(tally.done[phase] for tally in tallies.values()))

    begin(RELOADS)
    for version in range(1, times + 1):
        write(service, applications, version)
        await reload(service)
        await asyncio.sleep(seconds / 2 / times)
    await end(RELOADS, 0)
    begin(KILLED)
    for application in applications:
        application.kill_member()
    await end(KILLED, seconds / 4)
    for application in applications:
        await asyncio.to_thread(application.restart_member)
    begin(BACK)
    await end(BACK, seconds / 4)


def judge(application: Application, tally: Tally) -> list[str]:
    """Return what is wrong with what the clients counted."""
    wrong = [f"nothing was done: {phase}" for phase in PHASES if not tally.done[phase]]
    for phase, allowed in zip(PHASES, (0, application.in_flight, 0), strict=True):
        if tally.failed[phase] > allowed:
            wrong.append(
                f"{phase}: {tally.failed[phase]} failed, at most {allowed} may: {tally.reasons[phase]}"
            )
    return wrong


def main(arguments: list[str]) -> int:
    """Print a table of what was done and failed in each phase."""
    names = {kind.name: kind for kind in APPLICATIONS}
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("names", nargs="*", choices=[[], *names], metavar="NAME", help=", ".join(names))
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="adc-clients-"))
    folder.chmod(0o755)
    wanted = [kind(folder / kind.name) for name, kind in names.items() if name in (options.names or names)]
    for application in wanted:
        if why := application.missing():
            print(f"{application.name}: not run: {why}")
    run = [application for application in wanted if application.missing() is None]
    tallies = asyncio.run(exercise(folder, run, options.seconds))
    print(FORM.format("", "phase", "operations", "failed", ""))
    wrong = []
    for application in run:
        tally = tallies[application.name]
        for phase in PHASES:
            row = (application.name, phase.split()[-1], tally.done[phase], tally.failed[phase])
            print(FORM.format(*row, tally.reasons.get(phase, "")))
        wrong += [f"{application.name}: {line}" for line in judge(application, tally)]
    if wrong:
        print("\n".join(wrong), f"The logs are in {folder}.", sep="\n")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
