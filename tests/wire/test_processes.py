"""The supervisor and its workers as real processes: start, death, reload, drain."""

import asyncio
import contextlib
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from tests.kit.ports import free_port
from tests.wire.service import PATIENCE, alive, http, until

ANSWERS = """
workers: 2
listeners: [{name: web, bind: "@web"}]
routes: [{respond: {status: 200, body: BODY}}]
admin: {bind: "@admin"}
"""

SLOW = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes: [{pool: app}]
pools: {app: {members: ["@member"]}}
admin: {bind: "@admin"}
shutdown: {grace: GRACE}
"""


class SlowMember:
    """A member that answers when the test lets it."""

    def __init__(self):
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self._serving = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.answer.set()
        self._server.close()
        await asyncio.gather(*self._serving)

    async def _serve(self, reader, writer):
        self._serving.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.asked.set()
            await self.answer.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nslow")
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_it_serves_says_so_and_ends_with_code_0(service):
    service.write(ANSWERS.replace("BODY", "one"))
    await service.started()
    assert await service.get() == (200, b"one")
    status = await service.status()
    assert [worker["id"] for worker in status["workers"]] == [0, 1]
    assert status["pid"] == service.process.pid
    assert status["listeners"][0]["addresses"] == [f"tcp:127.0.0.1:{service.port}"]
    assert (await http(service.admin, "/healthz"))[0] == 200
    service.signal(signal.SIGTERM)
    await service.told("STOPPING=1")
    assert await service.ended() == 0
    assert not service.pidfile.exists()
    assert not any(alive(worker["pid"]) for worker in status["workers"])


async def test_a_killed_worker_is_replaced_and_its_counters_stay(service):
    service.write(ANSWERS.replace("BODY", "one"))
    await service.started()
    for _ in range(20):
        await service.get()
    counted = 'adc_requests_total{code="200",listener="web",route="route-1"} 20.0'
    assert counted in await service.metrics()
    victims = [worker["pid"] for worker in (await service.status())["workers"]]
    os.kill(victims[0], signal.SIGKILL)

    async def replaced():
        pids = [worker["pid"] for worker in (await service.status())["workers"]]
        return len(pids) == 2 and victims[0] not in pids and victims[1] in pids

    await until(replaced)
    metrics = await service.metrics()
    assert counted in metrics
    assert "adc_worker_restarts_total 1.0" in metrics


async def test_a_worker_that_hangs_is_replaced_and_the_node_is_not_ready_meanwhile(service):
    service.write(ANSWERS.replace("BODY", "one") + "worker_timeout: 1s\n")
    await service.started()
    assert await http(service.admin, "/readyz") == (200, b"ok\n")
    victim = (await service.status())["workers"][1]["pid"]
    os.kill(victim, signal.SIGSTOP)
    await until(lambda: _gone(victim))

    async def ready():
        return (await http(service.admin, "/readyz"))[0] == 200

    await until(ready)
    assert "reason=hangs" in service.log.read_text()
    assert [worker["id"] for worker in (await service.status())["workers"]] == [0, 1]


async def _gone(pid):
    return not alive(pid)


async def test_a_node_that_drains_lives_and_is_not_ready(service):
    async with SlowMember() as member:
        service.write(SLOW.replace("GRACE", "20s"), member=member.port)
        await service.started()
        asked = asyncio.create_task(service.get())
        await member.asked.wait()
        service.signal(signal.SIGTERM)
        await service.told("STOPPING=1")
        assert await http(service.admin, "/readyz") == (503, b"the service is ending\n0 of 1 workers serve\n")
        assert (await http(service.admin, "/livez"))[0] == 200
        member.answer.set()
        assert await asked == (200, b"slow")
        assert await service.ended() == 0


async def test_with_all_workers_dead_connections_wait_for_the_next_ones(service):
    service.write(ANSWERS.replace("BODY", "one"))
    await service.started()
    for worker in (await service.status())["workers"]:
        os.kill(worker["pid"], signal.SIGKILL)
    await until(_all_replaced(service))
    assert await service.get() == (200, b"one")


def _all_replaced(service):
    async def replaced():
        status = await service.status()
        return status["worker_restarts"] == 2 and len(status["workers"]) == 2

    return replaced


CHECKED = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes: [{pool: app}]
pools:
  app:
    members: ["@member", "@gone"]
    health: {active: {tcp: true, interval: 50ms}}
admin: {bind: "@admin"}
"""


async def test_a_new_worker_knows_the_health_of_members_and_what_operators_decided(service):
    async with SlowMember() as member:
        service.write(CHECKED, member=member.port, gone=free_port())
        await service.started()
        await until(_states(service, ["up", "down"]))
        drained = f"127.0.0.1:{member.port}"
        code, _ = await service.run(
            "members", "drain", "app", drained, "--admin", f"127.0.0.1:{service.admin}"
        )
        assert code == 0
        await until(_states(service, ["draining", "down"]))
        (worker,) = (await service.status())["workers"]
        os.kill(worker["pid"], signal.SIGKILL)

        async def replaced():
            return (await service.status())["worker_restarts"] == 1

        await until(replaced)
        assert await _states(service, ["draining", "down"])()


async def test_a_reload_that_is_asked_for_during_the_start_follows_it(service):
    service.write(ANSWERS.replace("BODY", "one"))
    service.start()

    async def is_known():
        return service.pidfile.exists() and service.pidfile.read_text().endswith("\n")

    await until(is_known)
    service.write(ANSWERS.replace("BODY", "two"))
    service.signal(signal.SIGHUP)
    await service.told("READY=1")

    async def reloaded():
        return (await service.status())["reloads"] == {"ok": 1}

    await until(reloaded)
    assert await service.get() == (200, b"two")
    assert "Traceback" not in service.log.read_text()


def _states(service, wanted):
    async def are():
        status, body = await http(service.admin, "/api/v1/members")
        return status == 200 and [row["state"] for row in json.loads(body)] == wanted

    return are


async def test_a_reload_changes_routes_and_listeners_and_keeps_connections(service):
    service.write(ANSWERS.replace("BODY", "one"))
    await service.started()
    workers = (await service.status())["workers"]
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    writer.write(request)
    assert (await asyncio.wait_for(reader.readuntil(b"one"), PATIENCE)).startswith(b"HTTP/1.1 200")
    second = free_port()
    service.write(
        ANSWERS.replace("BODY", "two").replace('bind: "@web"', 'bind: ["@web", "@second"]'), second=second
    )
    service.signal(signal.SIGHUP)
    await service.told("RELOADING=1")
    await service.told("READY=1")
    writer.write(request)
    assert (await asyncio.wait_for(reader.readuntil(b"two"), PATIENCE)).startswith(b"HTTP/1.1 200")
    writer.close()
    assert await http(second) == (200, b"two")
    assert (await service.status())["workers"] == workers
    service.write(ANSWERS.replace("BODY", "three"))
    code, output = await service.run("reload", "--admin", f"127.0.0.1:{service.admin}")
    assert (code, output) == (0, "reloaded\n")
    assert await service.get() == (200, b"three")
    with pytest.raises(ConnectionRefusedError):
        await http(second)
    assert 'adc_reloads_total{result="ok"} 2.0' in await service.metrics()


async def test_a_reload_that_cannot_be_changes_nothing_and_says_why(service):
    service.write(ANSWERS.replace("BODY", "one"))
    await service.started()
    admin = f"127.0.0.1:{service.admin}"

    service.write(ANSWERS.replace("BODY", "two").replace("workers", "wrkers"))
    code, output = await service.run("reload", "--admin", admin)
    assert code == 1
    assert f"{service.config}:2:1: wrkers: unknown key" in output

    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = free_port()
        text = ANSWERS.replace("BODY", "two").replace('bind: "@web"', 'bind: ["@web", "@other", "@taken"]')
        service.write(text, other=other, taken=taken.getsockname()[1])
        code, output = await service.run("reload", "--admin", admin)
        assert code == 1
        assert "the address is taken by another process" in output
        with pytest.raises(ConnectionRefusedError):
            await http(other)

    assert await service.get() == (200, b"one")
    assert (await service.status())["last_reload"]["result"] == "failed"
    assert 'adc_reloads_total{result="failed"} 2.0' in await service.metrics()


async def test_a_refused_reload_names_everything_with_its_line(service):
    service.write(ANSWERS.replace("BODY", "one"))
    await service.started()
    service.write(ANSWERS.replace("BODY", "two") + "error_pages: {404: none.html}\naccess_log: none/a.log\n")
    code, output = await service.run("reload", "--admin", f"127.0.0.1:{service.admin}")
    assert code == 1
    assert "adc.yaml:6:20: error_pages.404" in output
    assert "adc.yaml:7:13: access_log" in output
    assert await service.get() == (200, b"one")


async def test_sigterm_lets_work_in_flight_finish_and_takes_no_more(service):
    async with SlowMember() as member:
        service.write(SLOW.replace("GRACE", "30s"), member=member.port)
        await service.started()
        in_flight = asyncio.create_task(service.get())
        await asyncio.wait_for(member.asked.wait(), PATIENCE)
        service.signal(signal.SIGTERM)
        await service.told("STOPPING=1")
        await until(_refuses(service.port))
        member.answer.set()
        assert await in_flight == (200, b"slow")
        assert await service.ended() == 0


def _refuses(port):
    async def refuses():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:  # it came in the moment of closing
            return False
        writer.close()
        return False

    return refuses


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGTERM, signal.SIGINT),
        (signal.SIGQUIT, signal.SIGQUIT),
    ],
)
async def test_a_second_signal_ends_at_once(service, first, second):
    async with SlowMember() as member:
        service.write(SLOW.replace("GRACE", "1h"), member=member.port)
        await service.started()
        in_flight = asyncio.create_task(service.get())
        await asyncio.wait_for(member.asked.wait(), PATIENCE)
        service.signal(first)
        await service.told("STOPPING=1")
        service.signal(second)
        assert await service.ended() == 0
        with pytest.raises((IndexError, ConnectionError)):
            await in_flight


async def test_workers_of_a_killed_supervisor_finish_their_work_and_end(service):
    async with SlowMember() as member:
        service.write(SLOW.replace("GRACE", "30s"), member=member.port)
        await service.started()
        (worker,) = (await service.status())["workers"]
        in_flight = asyncio.create_task(service.get())
        await asyncio.wait_for(member.asked.wait(), PATIENCE)
        service.process.kill()
        await service.ended()
        await until(_refuses(service.port))
        member.answer.set()
        assert await in_flight == (200, b"slow")

        async def ended():
            return not alive(worker["pid"])

        await until(ended)


async def test_workers_of_a_killed_supervisor_that_keep_tables_end_too(service):
    tables = "pools: {app: {members: [127.0.0.1:1], persistence: {source: {timeout: 1m}}}}"
    service.write(
        SLOW.replace("GRACE", "1s").replace('pools: {app: {members: ["@member"]}}', tables)
        + f'state: {{path: "{service.folder}/state"}}\n'
    )
    await service.started()
    (worker,) = (await service.status())["workers"]
    service.process.kill()

    async def ended():
        return not alive(worker["pid"])

    await until(ended)
    assert "Traceback" not in service.log.read_text()


async def test_without_workers_the_supervisor_serves_and_reloads_itself(service):
    service.write(ANSWERS.replace("BODY", "one"))
    await service.started("--workers", "0")
    assert [worker["pid"] for worker in (await service.status())["workers"]] == [service.process.pid]
    assert await service.get() == (200, b"one")
    service.write(ANSWERS.replace("BODY", "two"))
    service.signal(signal.SIGHUP)
    await service.told("RELOADING=1")
    await service.told("READY=1")
    assert await service.get() == (200, b"two")
    service.signal(signal.SIGTERM)
    assert await service.ended() == 0


async def test_a_taken_port_ends_the_start_with_code_1_and_the_reason(service):
    with socket.create_server(("127.0.0.1", service.port)):
        service.write(ANSWERS.replace("BODY", "one"))
        service.start()
        assert await service.ended() == 1
    output = service.log.read_text()
    assert f"cannot listen on tcp:127.0.0.1:{service.port}: the address is taken" in output
    assert "Traceback" not in output


async def test_a_wrong_configuration_does_not_start_and_ends_with_code_2(service):
    service.write("listeners: []\n")
    service.start()
    assert await service.ended() == 2
    output = service.log.read_text()
    assert f"{service.config}:1:" in output
    assert "Traceback" not in output


async def test_clients_in_the_accept_queue_at_sigterm_are_answered(service):
    service.write(ANSWERS.replace("BODY", "one").replace("workers: 2", "workers: 1"))
    await service.started()
    (worker,) = (await service.status())["workers"]
    os.kill(worker["pid"], signal.SIGSTOP)
    try:
        clients = [asyncio.create_task(service.get()) for _ in range(300)]
        await until(_connected(service.port, len(clients)))
        service.signal(signal.SIGTERM)
        await service.told("STOPPING=1")
    finally:
        os.kill(worker["pid"], signal.SIGCONT)
    assert await asyncio.gather(*clients) == [(200, b"one")] * len(clients)
    assert await service.ended() == 0


def _connected(port, count):
    """Whether `count` connections to `port` have come as far as the kernel's queue."""
    remote = f"0100007F:{port:04X}"

    async def are():
        return _waiting_for(remote) >= count

    return are


def _waiting_for(remote):
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2] == remote and row[3] == "01" for row in rows)


async def test_the_logs_go_to_a_socket_as_under_systemd(service):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        service.write(ANSWERS.replace("BODY", "one").replace("workers: 2", "workers: 1"))
        service.start(output=theirs)
        await service.told("READY=1")
        assert await service.get("/nothing") == (200, b"one")
        service.signal(signal.SIGTERM)
        assert await service.ended() == 0
        theirs.close()
        ours.settimeout(PATIENCE)
        log = ours.makefile("rb").read()
    assert b'"GET /nothing HTTP/1.1" 200' in log


async def test_time_limits_hold_on_a_listener_that_a_reload_took_away(service):
    async with SlowMember() as member:
        text = SLOW.replace("GRACE", "1h").replace("pool: app", "pool: app, timeouts: {response_head: 1s}")
        second = free_port()
        first = '{name: web, bind: "@web"}'
        service.write(
            text.replace(first, first + ', {name: more, bind: "@second"}'), member=member.port, second=second
        )
        await service.started()
        in_flight = asyncio.create_task(http(second))
        await asyncio.wait_for(member.asked.wait(), PATIENCE)
        service.write(text, member=member.port)
        service.signal(signal.SIGHUP)
        await service.told("READY=1")
        assert (await in_flight)[0] == 504
