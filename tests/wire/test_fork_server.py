"""Workers are forked from a process that has imported what they share."""

import os
import signal
from pathlib import Path

from tests.wire.service import alive, until

ANSWERS = """
workers: 2
listeners: [{name: web, bind: "@web"}]
routes: [{respond: {status: 200, body: ok}}]
admin: {bind: "@admin"}
"""
MOST_PRIVATE = 25 << 10
"""Kilobytes that a further worker may cost."""


def children(pid):
    """Return the processes whose parent is `pid`: process id -> name."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child): Path(f"/proc/{child}/comm").read_text().strip() for child in found}


def fork_server(service):
    """Return the process id of the fork server of `service`."""
    return next(pid for pid, name in children(service.process.pid).items() if name == "adc fork server")


def descriptors(pid):
    """Return what a process has open, except for its input and output."""
    found = [path for path in Path(f"/proc/{pid}/fd").iterdir() if int(path.name) > 2]
    return sorted(os.readlink(path) for path in found)


def private(pid):
    """Return the kilobytes of memory that a process shares with no other."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


async def workers(service):
    return [worker["pid"] for worker in (await service.status())["workers"]]


async def start(service):
    service.write(ANSWERS)
    await service.started()


async def test_workers_are_children_of_the_supervisor_and_bear_their_number(service):
    await start(service)
    named = children(service.process.pid)
    assert [named[pid] for pid in await workers(service)] == ["adc worker 0", "adc worker 1"]


async def test_the_fork_server_holds_no_socket_of_a_listener(service):
    await start(service)
    kinds = [name.partition(":")[0] for name in descriptors(fork_server(service))]
    assert kinds == ["/memfd", "/memfd", "socket"]


async def test_a_worker_holds_no_descriptor_of_the_fork_server(service):
    await start(service)
    for pid in await workers(service):
        pipes = [name for name in descriptors(pid) if name.startswith("pipe")]
        assert pipes[::2] == pipes[1::2]  # both ends: those of its own event loop


async def test_workers_share_what_was_imported(service):
    await start(service)
    assert all(private(pid) < MOST_PRIVATE for pid in await workers(service))


async def test_workers_outlive_the_fork_server_and_a_new_one_replaces_them(service):
    await start(service)
    before, killed = await workers(service), fork_server(service)
    os.kill(killed, signal.SIGKILL)
    assert await service.get() == (200, b"ok")
    os.kill(before[0], signal.SIGKILL)

    async def replaced():
        now = await workers(service)
        return len(now) == 2 and before[0] not in now and before[1] in now

    await until(replaced)
    assert "fork_server_replaced" in service.log.read_text()
    assert fork_server(service) != killed
    assert not [pid for pid in children(service.process.pid) if not alive(pid)]


async def test_the_fork_server_ends_with_a_supervisor_that_is_killed(service):
    await start(service)
    pids = [fork_server(service), *await workers(service)]
    service.process.kill()

    async def gone():
        return not any(alive(pid) for pid in pids)

    await until(gone)
