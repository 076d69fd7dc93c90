"""What is under way outlives reloads, upgrades and the deaths of others: real processes, real connections."""

import asyncio
import json
import os
import signal

import pytest

from tests.faults.load import Traffic
from tests.kit.client import Client, get
from tests.kit.member import Member
from tests.kit.waiting import eventually, settled
from tests.wire.service import http, until

CONFIG = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes:
  - pool: app
    retries: {attempts: 2, on: [connect_failure, reset_before_response, "5xx"]}
pools: {app: {members: [MEMBERS]}}
admin: {bind: "@admin"}
shutdown: {grace: 20s}
"""
PIECE = b"x" * 50_000
JSON = {"Content-Type": "application/json"}


class Download:
    """A member's script: the first half of a body at once, the second when `go_on` is set; echoes upgrades."""

    def __init__(self):
        self.go_on = asyncio.Event()

    async def __call__(self, conversation):
        while True:
            request = await conversation.head()
            if b"upgrade" in request:
                await conversation.send(
                    b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
                )
                while data := await conversation.some():
                    await conversation.send(data)
                return
            await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * len(PIECE)))
            await conversation.send(PIECE)
            if request.target == "/download":
                await self.go_on.wait()
            await conversation.send(PIECE)


@pytest.fixture
async def download():
    return Download()


@pytest.fixture
async def serving(service, download):
    async with Member(download) as member:
        service.write(CONFIG.replace("MEMBERS", f'"{member.address}"'))
        await service.started()
        yield service


async def _begin(service):
    """A download that has begun."""
    client = await Client.connect(service.port)
    await client.send(get("/download"))
    head = await client.exactly(12)
    assert head == b"HTTP/1.1 200"
    return client


async def _finish(client, download):
    download.go_on.set()
    while client.received.count(b"x") < 2 * len(PIECE):
        assert await client.some()
    client.close()
    await settled()


async def test_reloads_keep_downloads_and_tunnels_alive(serving, download):
    client = await _begin(serving)
    tunnel = await Client.connect(serving.port)
    await tunnel.send(get("/", "Connection: upgrade", "Upgrade: websocket"))
    assert (await tunnel.reply()).status == 101
    for _ in range(3):
        serving.signal(signal.SIGHUP)
        await serving.told("RELOADING=1")
        await serving.told("READY=1")
        await tunnel.send(b"still here")
        assert await tunnel.exactly(10) == b"still here"
    assert (await serving.status())["last_reload"]["result"] == "ok"
    await _finish(client, download)
    tunnel.close()
    await settled()


async def test_reloads_go_through_while_removed_workers_drain(serving, download):
    """Two workers with downloads, one is taken away, reloaded twice, put back: nothing is refused or cut off."""
    text = serving.config.read_text()

    async def reload(workers):
        serving.config.write_text(text.replace("workers: 1", f"workers: {workers}"))
        status, told = await http(serving.admin, "/api/v1/reload", method="POST", fields=JSON)
        assert (status, json.loads(told)["messages"]) == (200, [])
        return await serving.status()

    await reload(2)
    clients = [await _begin(serving) for _ in range(12)]
    while min(await serving.open_connections()) == 0:  # the kernel may wake one worker for all of them
        clients.append(await _begin(serving))
    status = await reload(1)
    assert [each["id"] for each in status["draining"]] == [1]
    for workers in (1, 2, 1, 1):
        status = await reload(workers)
        assert [each["id"] for each in status["workers"]] == list(range(workers))
    assert status["worker_restarts"] == 0
    for client in clients:
        await _finish(client, download)
    await until(lambda: _nobody_drains(serving))


async def _nobody_drains(service):
    return (await service.status())["draining"] == []


async def test_a_storm_of_reloads_is_answered_with_one_that_came_after_all(serving):
    text = serving.config.read_text()

    async def ask(number):
        serving.config.write_text(text + f"\n# {number}\n")
        return await http(serving.admin, "/api/v1/reload", method="POST", fields=JSON)

    answers = await asyncio.gather(*map(ask, range(30)))
    assert {status for status, _ in answers} == {200}
    assert sum((await serving.status())["reloads"].values()) < 30


async def test_an_upgrade_lets_a_download_finish(serving, download):
    client = await _begin(serving)
    serving.signal(signal.SIGUSR2)

    async def taken_over():
        return int(serving.pidfile.read_text()) != serving.process.pid

    await until(taken_over)
    assert serving.process.poll() is None
    await _finish(client, download)
    assert await serving.ended() == 0


async def test_a_stop_lets_a_download_finish(serving, download):
    client = await _begin(serving)
    serving.signal(signal.SIGTERM)
    await serving.told("STOPPING=1")
    await _finish(client, download)
    assert await serving.ended() == 0


async def test_no_get_is_lost_when_a_worker_dies_and_when_a_member_breaks(service):
    broken, resets = False, 0

    async def script(conversation):
        nonlocal resets
        while True:
            await conversation.request()
            if broken:
                resets += 1
                conversation.reset()
                return
            await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with Member(script) as one, Member() as two:
        addresses = f'"{one.address}", "{two.address}"'
        service.write(CONFIG.replace("MEMBERS", addresses).replace("workers: 1", "workers: 2"))
        await service.started()
        async with Traffic(service.port, clients=8, pause=0.02) as traffic:
            await eventually(lambda: len(one.requests) > 20 and len(two.requests) > 20)
            broken = True
            await eventually(lambda: resets)
            victim = (await service.status())["workers"][0]["pid"]
            os.kill(victim, signal.SIGKILL)

            async def replaced():
                workers = (await service.status())["workers"]
                return len(workers) == 2 and victim not in [worker["pid"] for worker in workers]

            await until(replaced)
            after = len(traffic.outcomes)
            await eventually(lambda: len(traffic.outcomes) > after + 50)
    assert not [outcome for outcome in traffic.outcomes if outcome.lost]


async def test_a_draining_member_gets_no_new_request_and_finishes_what_it_has(service, download):
    async with Member(download) as one, Member() as two:
        service.write(
            CONFIG.replace("MEMBERS", f'"{one.address}", {{address: "{two.address}", backup: true}}')
        )
        await service.started()
        client = await _begin(service)
        code, said = await service.run(
            "members", "drain", "app", one.address, "--admin", f"127.0.0.1:{service.admin}"
        )
        assert code == 0, said
        assert [await service.get() for _ in range(3)] == [(200, b"ok")] * 3
        await _finish(client, download)
        assert len(one.requests) == 1
