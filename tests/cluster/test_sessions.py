"""Operators list, show and drop sessions of a running service."""

import asyncio
import contextlib
import json
import signal
import subprocess

import pytest
import yaml

from tests.cluster.endurance import configuration
from tests.cluster.origin import origins
from tests.cluster.visitor import Visitor
from tests.kit.datagrams import Visitor as Datagrams
from tests.kit.datagrams import member as udp_member
from tests.kit.ports import free_port
from tests.wire.service import PATIENCE, ROOT, Service, http


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.close()


async def test_sessions_are_listed_shown_and_dropped(service, tmp_path):
    async with origins(3) as members:
        service.write(configuration(members, tmp_path, 2, 0))
        await service.started()
        for user in ("ann", "bob"):
            await Visitor([service.port], "/header/", [f"X-User: {user}"]).ask()
        where = ("--admin", f"127.0.0.1:{service.admin}")
        code, text = await service.run("sessions", "list", "--pool", "header", "--json", *where)
        rows = json.loads(text)
        assert code == 0
        assert [row["client"] for row in rows] == ["ann", "bob"]
        assert {row["member"] for row in rows} <= {member.address for member in members}
        assert all(0 < row["left"] <= 3600 for row in rows)
        code, text = await service.run("sessions", "show", "ann", *where)
        assert code == 0
        assert "bob" not in text
        assert (await service.run("sessions", "drop", *where))[0] == 2
        assert await service.run("sessions", "drop", "ann", *where) == (0, "1 dropped\n")
        assert (await service.run("sessions", "show", "ann", *where))[0] == 1
        status, body = await http(service.admin, "/api/v1/sessions?pool=none")
        assert (status, "keeps no sessions" in json.loads(body)["error"]) == (409, True)
        metrics = await service.metrics()
        assert 'adc_persistence_entries{pool="header"} 1.0' in metrics
        assert 'adc_persistence_created_total{pool="header"} 2.0' in metrics
        assert "state local" in (await service.run("status", *where))[1]


@contextlib.asynccontextmanager
async def watching(service, *options):
    """`adc sessions watch`: the function that waits for its next line, and the process."""
    process = await asyncio.create_subprocess_exec(
        *service.command("sessions", "watch", "--interval", "0.1", *options),
        *("--pool", "header", "--admin", f"127.0.0.1:{service.admin}"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )

    async def line():
        return (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode().strip()

    try:
        yield line, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def visit(service, user):
    visitor = Visitor([service.port], "/header/", [f"X-User: {user}"])
    member = await visitor.ask()
    visitor.close()
    return member


async def told(service, method, path, **what):
    """The status with which the admin API answers."""
    body = json.dumps(what).encode()
    fields = {"Host": f"127.0.0.1:{service.admin}", "Content-Type": "application/json"}
    return (await http(service.admin, f"/api/v1/{path}", method=method, fields=fields, body=body))[0]


async def first_look(service, line):
    """Wait until the watch tells of what is made: it has had its first look then."""
    told, number = asyncio.ensure_future(line()), 0
    while not told.done():
        number += 1
        await visit(service, f"early{number}")
        await asyncio.wait([told], timeout=0.05)
    await told


async def test_watch_tells_of_each_session_that_is_made_moves_or_goes(service, tmp_path):
    async with origins(3) as members, contextlib.AsyncExitStack() as stack:
        addresses = {member.name: member.address for member in members}
        service.write(configuration(members, tmp_path, 2, 0))
        await service.started()
        await visit(service, "before")
        line, process = await stack.enter_async_context(watching(service))
        await first_look(service, line)

        async def next_of(user):
            while f" {user} " not in (told := await line()):
                assert told.startswith("made header early"), told
            return told

        first = await visit(service, "ann")
        assert await next_of("ann") == f"made header ann {addresses[first]}"
        assert await told(service, "POST", f"members/header/{addresses[first]}", state="disable") == 200
        second = await visit(service, "ann")
        assert second != first
        assert await next_of("ann") == f"moved header ann {addresses[second]}"
        assert await told(service, "DELETE", "sessions?client=ann") == 200
        assert await next_of("ann") == f"gone header ann {addresses[second]}"
        process.send_signal(signal.SIGINT)
        rest, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert b"Traceback" not in rest
        assert process.returncode != 0


async def test_watch_with_json_prints_each_event_on_a_line_at_once(service, tmp_path):
    async with origins(2) as members, contextlib.AsyncExitStack() as stack:
        service.write(configuration(members, tmp_path, 1, 0))
        await service.started()
        line, _ = await stack.enter_async_context(watching(service, "--json"))
        events = []

        async def event():
            events.append(json.loads(await line()))

        await first_look(service, event)
        assert events[0]["event"] == "made"
        assert events[0]["client"].startswith("early")
        assert events[0]["member"] in {member.address for member in members}
        where = ("--admin", f"127.0.0.1:{service.admin}")
        code, text = await service.run("sessions", "watch", "--pool", "none", "--times", "1", *where)
        assert code == 1
        assert "keeps no sessions" in text


async def test_flows_are_listed_shown_and_killed_beside_pins(service, tmp_path):
    async with origins(2) as members, udp_member() as resolver:
        mapping = yaml.safe_load(configuration(members, tmp_path, 2, 0))
        port = free_port()
        mapping["listeners"].append(
            {"name": "dns", "bind": f"127.0.0.1:{port}", "protocol": "udp", "pool": "dns"}
        )
        mapping["pools"]["dns"] = {"members": [resolver.address]}
        service.write(yaml.safe_dump(mapping))
        await service.started()
        await visit(service, "ann")
        client = Datagrams(("127.0.0.1", port))
        await client.ask(b"x")
        own = "{}:{}".format(*client.sock.getsockname())

        async def asked(*words):
            code, text = await service.run(
                "sessions", *words, "--json", "--admin", f"127.0.0.1:{service.admin}"
            )
            return code, json.loads(text) if text.startswith(("[", "{")) else text

        code, rows = await asked("list")
        assert code == 0
        assert [row["kind"] for row in rows] == ["pin", "flow"]
        assert (rows[1]["client"], rows[1]["state"], rows[1]["bytes_out"]) == (own, "established", 1)
        for found in (("show", rows[1]["id"]), ("show", own), ("list", "--pool", "dns")):
            assert [row["id"] for row in (await asked(*found))[1]] == [rows[1]["id"]]
        assert (await asked("list", "--protocol", "tcp"))[1] == []
        assert (await asked("list", "--protocol", "icmp"))[0] == 2
        assert (await asked("kill"))[0] == 2
        assert await asked("kill", "--client", own) == (0, {"killed": 1})
        assert [row["reason"] for row in (await asked("list", "--ended"))[1]] == ["killed"]
        metrics = await service.metrics()
        ended = [line for line in metrics if line.startswith("adc_sessions_ended_total{")]
        assert len(ended) == 1
        assert 'reason="killed"' in ended[0]
        client.sock.close()
