"""One client a mode, many requests over all workers, while the service is reloaded and workers are killed.

    python -m tests.cluster.endurance [--requests N] [--reloads N] [--kills N] [--workers N]

Prints a row for each mode and ends with code 1 if any request went to another member.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

from tests.cluster.origin import origins
from tests.cluster.visitor import Visitor
from tests.wire.service import Service, until

MODES = {
    "cookie": ("{cookie: {timeout: 1h}}", []),
    "rewrite": ("{cookie: {name: APPSESSION, mode: rewrite}}", []),
    "prefix": ("{cookie: {name: APPSESSION, mode: prefix}}", []),
    "source": ("{source: {timeout: 10m}}", []),
    "header": ("{header: {name: x-user}}", ["X-User: ann"]),
    "query": ("{query: {name: user}}", []),
    "learned": ("{learned: {cookie: APPSESSION}}", []),
}

HEAD = """
workers: @workers
state: {backend: local, path: @state}
admin: {bind: "@admin"}
access_log: off
listeners: [{name: web, bind: "@web"}]
"""


def configuration(members, folder, workers, generation):
    """The text of the configuration; each generation lists members and routes in another order."""
    turn = generation % len(members)
    listed = ", ".join(member.address for member in members[turn:] + members[:turn])
    names = list(MODES)[:: -1 if generation % 2 else 1]
    routes = "".join(f"  - {{match: {{path: /{name}/}}, pool: {name}}}\n" for name in names)
    pools = "".join(f"  {name}: {{members: [{listed}], persistence: {MODES[name][0]}}}\n" for name in names)
    head = HEAD.replace("@workers", str(workers)).replace("@state", str(folder / "state"))
    return f"{head}routes:\n{routes}pools:\n{pools}"


async def endure(folder, *, requests, reloads, kills, workers, modes=tuple(MODES)):
    """Returns the visitors by mode, and how many workers were replaced."""
    service = Service(folder)
    async with origins(3) as members:
        try:
            service.write(configuration(members, folder, workers, 0))
            await service.started()
            visitors = {
                mode: Visitor([service.port], f"/{mode}/?user=ann", MODES[mode][1], per_connection=3)
                for mode in modes
            }
            visits = [asyncio.create_task(visitor.ask_often(requests)) for visitor in visitors.values()]
            for step in range(reloads + kills):
                await _reached(visitors, requests * (step + 1) // (reloads + kills + 1))
                if kills and step % (reloads // kills + 1) == 1:
                    await _kill_a_worker(service, step)
                else:
                    service.write(configuration(members, folder, workers, step))
                    service.signal(signal.SIGHUP)
                    await service.told("READY=1")
            await asyncio.gather(*visits)
            status = await service.status()
        finally:
            service.close()
    return visitors, status


async def _reached(visitors, count):
    async def far_enough():
        return all(len(visitor.members) >= count for visitor in visitors.values())

    await until(far_enough)


async def _kill_a_worker(service, step):
    before = await service.status()
    workers = before["workers"]
    os.kill(workers[step % len(workers)]["pid"], signal.SIGKILL)

    async def replaced():
        now = await service.status()
        return now["worker_restarts"] > before["worker_restarts"] and len(now["workers"]) == len(workers)

    await until(replaced)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in {"requests": 10_000, "reloads": 20, "kills": 2, "workers": 4}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        visitors, status = asyncio.run(endure(Path(folder), **vars(options)))
    print(f"{status['reloads']} reloads, {status['worker_restarts']} workers replaced")
    for mode, visitor in visitors.items():
        count = len(visitor.members)
        print(f"{mode:10} {count} requests, {visitor.misrouted} misrouted, {visitor.lost} sent again")
    sys.exit(any(visitor.misrouted for visitor in visitors.values()))


if __name__ == "__main__":
    main()
