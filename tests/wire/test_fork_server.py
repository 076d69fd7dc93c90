"""Workers are forked from a process that has imported what they share."""

import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.wire.service import ROOT, alive, until

ANSWERS = """
workers: 2
listeners: [{name: web, bind: "@web"}]
routes: [{respond: {status: 200, body: ok}}]
admin: {bind: "@admin"}
"""
CLOSED = "import os, sys; os.close({}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
IGNORED = """
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
ENVIRONMENT = """
import os
from adc.plugin import NoOptions, Plugin, Response
class Environment(Plugin[NoOptions]):
    name = "environment"
    def request_head(self, context):
        return Response(200, body=" ".join(os.environ).encode())
"""
MOST_PRIVATE = 25 << 10
"""Kilobytes that a further worker may cost."""


def children(pid):
    """Return the processes whose parent is `pid` and that have not ended meanwhile: process id -> name."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):
            found[int(child)] = Path(f"/proc/{child}/comm").read_text().strip()
    return found


def fork_server(service):
    """Return the process id of the fork server of `service`."""
    return next(pid for pid, name in children(service.process.pid).items() if name == "adc fork server")


def descriptors(pid):
    """Return what a process has open, except for its input and output."""
    found = [path for path in Path(f"/proc/{pid}/fd").iterdir() if int(path.name) > 2]
    return sorted(os.readlink(path) for path in found)


def inheritable(pid):
    """Return the descriptors of a process that a program it starts would keep, except for input and output."""
    infos = {int(path.name): path.read_text() for path in Path(f"/proc/{pid}/fdinfo").iterdir()}
    flags = {number: int(text.split("flags:")[1].split()[0], 8) for number, text in infos.items()}
    return {number for number, bits in flags.items() if number > 2 and not bits & os.O_CLOEXEC}


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
    assert kinds.count("socket") == 1  # the channel to the supervisor
    assert set(kinds) == {"/memfd", "socket"}  # memory that workers share


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


async def start_through(service, program):
    """Start `service` from a Python program that changes what it inherits."""
    service.write(ANSWERS)
    run = service.command("run", str(service.config), "--pidfile", str(service.pidfile))
    await service.started(command=[sys.executable, "-c", program, *run[1:]])


@pytest.mark.parametrize("descriptor", [0, 1, 2])
async def test_service_starts_with_a_standard_descriptor_closed(service, descriptor):
    await start_through(service, CLOSED.format(descriptor))
    for pid in [service.process.pid, *children(service.process.pid)]:
        assert os.readlink(f"/proc/{pid}/fd/{descriptor}") == os.devnull
    assert await service.get() == (200, b"ok")


async def test_service_starts_where_the_end_of_children_is_ignored(service):
    await start_through(service, IGNORED)
    killed = (await workers(service))[0]
    os.kill(killed, signal.SIGKILL)

    async def replaced():
        now = await workers(service)
        return len(now) == 2 and killed not in now

    await until(replaced)
    assert "was killed by signal 9" in service.log.read_text()


async def test_the_fork_server_is_replaced_after_the_current_folder_was_removed(service, tmp_path):
    folder = tmp_path / "removed"
    folder.mkdir()
    service.write(ANSWERS)
    await service.started(cwd=folder, environ={"PYTHONPATH": str(ROOT)})
    folder.rmdir()
    killed = (await workers(service))[0]
    for pid in (fork_server(service), killed):
        os.kill(pid, signal.SIGKILL)

    async def replaced():
        now = await workers(service)
        return len(now) == 2 and killed not in now

    await until(replaced)


async def test_programs_that_a_worker_starts_inherit_none_of_its_descriptors(service):
    await start(service)
    replaced = fork_server(service)
    for pid in await workers(service):
        assert inheritable(pid) == set()
    os.kill(replaced, signal.SIGKILL)
    before = await workers(service)
    os.kill(before[0], signal.SIGKILL)

    async def renewed():
        now = await workers(service)
        return len(now) == 2 and before[0] not in now

    await until(renewed)
    for pid in [fork_server(service), *await workers(service)]:
        assert inheritable(pid) == set()


async def test_workers_do_not_inherit_the_variables_of_socket_activation(service):
    (service.folder / "plugins").mkdir()
    (service.folder / "plugins" / "environment.py").write_text(ENVIRONMENT)
    service.write(
        ANSWERS.replace("{respond", "{plugins: [environment], respond") + "plugin_paths: [plugins]\n"
    )
    with socket.create_server(("127.0.0.1", service.port)) as listening:
        await service.activated(listening)
        status, names = await service.get()
    assert (status, [name for name in names.split() if name.startswith(b"LISTEN_")]) == (200, [])


async def test_an_orphan_that_the_supervisor_adopts_is_reaped(service):
    service.write(ANSWERS)
    run = " ".join(service.command("run", str(service.config), "--pidfile", str(service.pidfile)))
    await service.started(command=["sh", "-c", f"sleep 0.01 & exec {run}"])

    async def reaped():
        return set(children(service.process.pid).values()) == {
            "adc fork server",
            "adc worker 0",
            "adc worker 1",
        }

    await until(reaped)
