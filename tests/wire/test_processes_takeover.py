"""Sockets that outlive a process: binary upgrade and systemd socket activation."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys

from tests.wire.service import ROOT, alive, free_port, http, until

ANSWERS = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes: [{respond: {status: 200, body: BODY}}]
admin: {bind: "@admin"}
"""


async def test_an_upgrade_moves_to_the_new_process_without_a_failed_request(service):
    service.write(ANSWERS.replace("BODY", "old"))
    await service.started()
    service.write(ANSWERS.replace("BODY", "new"))
    answers = []
    over = asyncio.Event()

    async def keep_asking():
        while not over.is_set():
            answers.append(await service.get())
            await asyncio.sleep(0.005)

    asking = asyncio.create_task(keep_asking())
    service.signal(signal.SIGUSR2)
    assert await service.ended() == 0
    over.set()
    await asking
    assert set(answers) == {(200, b"old"), (200, b"new")}
    assert await service.get() == (200, b"new")
    successor = (await service.status())["pid"]
    assert successor != service.process.pid
    assert service.pidfile.read_text() == f"{successor}\n"
    service.signal(signal.SIGTERM)

    async def ended():
        return not alive(successor)

    await until(ended)


CHECKED = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes: [{pool: app}]
pools:
  app:
    members: [{address: "@one", name: one}, {address: "@two", name: two}, {address: "@three", name: three}]
    health: {active: {tcp: true, interval: INTERVAL}}
admin: {bind: "@admin"}
"""


async def test_an_upgrade_knows_what_operators_decided_and_what_checks_found(service):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as member:
        ports = {"one": member.getsockname()[1], "two": member.getsockname()[1], "three": free_port()}
        service.write(CHECKED.replace("INTERVAL", "50ms"), **ports)
        await service.started()

        def states(*wanted):
            async def are():
                _, body = await http(service.admin, "/api/v1/members")
                return [row["state"] for row in json.loads(body)] == list(wanted)

            return are

        await until(states("up", "up", "down"))
        await service.run("members", "drain", "app", "two", "--admin", f"127.0.0.1:{service.admin}")
        await until(states("up", "draining", "down"))
        service.write(CHECKED.replace("INTERVAL", "1h"), **ports)  # so that it cannot find out by itself
        service.signal(signal.SIGUSR2)
        assert await service.ended() == 0
        assert (await service.status())["pid"] != service.process.pid
        assert await states("up", "draining", "down")()
        successor = (await service.status())["pid"]
        os.kill(successor, signal.SIGTERM)

        async def ended():
            return not alive(successor)

        await until(ended)


async def test_an_upgrade_that_does_not_start_leaves_the_old_process_serving(service):
    service.write(ANSWERS.replace("BODY", "old"))
    await service.started()
    service.write("listeners: nothing\n")
    service.signal(signal.SIGUSR2)

    async def said():
        return 'upgrade_failed detail="the new program did not come to serve' in service.log.read_text()

    await until(said)
    assert await service.get() == (200, b"old")
    assert (await service.status())["pid"] == service.process.pid
    assert service.pidfile.read_text() == f"{service.process.pid}\n"


async def test_a_socket_of_systemd_is_served_although_the_port_is_taken_by_it(service):
    service.write(ANSWERS.replace("BODY", "activated"))
    with socket.create_server(("127.0.0.1", service.port)) as listening:
        asked = asyncio.create_task(service.get())
        await service.activated(listening)
        assert await asked == (200, b"activated")
    assert (await service.status())["listeners"][0]["addresses"] == [f"tcp:127.0.0.1:{service.port}"]


def test_a_fork_server_started_anew_imports_nothing_of_the_command_line_or_the_admin_server():
    code = (
        "import sys, adc.control.fork_server, adc.runtime.preload as own; own.preload(); print(*sys.modules)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    ).stdout
    assert not {"typer", "rich", "aiohttp.web", "adc.cli", "adc.admin"} & set(output.split())
