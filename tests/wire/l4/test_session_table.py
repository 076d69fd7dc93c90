"""Flows in the session table of a worker: listed, killed, logged, expired, evicted."""

import asyncio
import json
from types import SimpleNamespace

from adc.runtime.operations import flows
from adc.runtime.operations.flows import UnwantedFlows, WantedFlows
from tests.kit.datagrams import config, member, relaying
from tests.kit.waiting import eventually, settled


async def rows(relay, **conditions):
    page = await relay.worker.call(flows.LIST, WantedFlows(**conditions))
    return page.rows


async def test_flow_is_listed_with_both_ends_and_its_counters(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        visitor = relay.visitor()
        await visitor.ask(b"12345")
        [row] = await rows(relay, protocol="udp", listener="game", state="established")
        assert (row.pool, row.member, row.reason) == ("app", a.address, "")
        assert row.client == "{}:{}".format(*visitor.sock.getsockname())
        assert (row.bytes_in, row.packets_in, row.bytes_out, row.packets_out) == (5, 1, 5, 1)
        assert 100 < row.left <= 120


async def test_killed_flow_is_gone_and_logged(tmp_path):
    log = tmp_path / "sessions.log"
    sessions = {"log": {"path": str(log), "format": "json"}}
    async with member() as a, relaying(tmp_path, config(a.address, sessions=sessions)) as relay:
        visitor = relay.visitor()
        await visitor.ask(b"x")
        reply = await relay.worker.call(flows.KILL, UnwantedFlows(client="127.0.0.0/8"))
        assert reply.killed == 1
        assert await rows(relay) == []
        assert [row.reason for row in await rows(relay, ended=True)] == ["killed"]
        await eventually(lambda: log.exists() and log.read_text().endswith("\n"))
        line = json.loads(log.read_text())
        assert (line["reason"], line["listener"], line["bytes_in"]) == ("killed", "game", 1)


async def test_killed_flow_passes_nothing_either_way_and_its_client_may_begin_another(tmp_path):
    async with member(lambda data: []) as a, relaying(tmp_path, config(a.address)) as relay:
        visitor = relay.visitor()
        visitor.send(b"1")
        await eventually(lambda: a.received)
        assert (await relay.worker.call(flows.KILL, UnwantedFlows(all=True))).killed == 1
        a.send(b"late")
        visitor.send(b"2")
        await eventually(lambda: len(a.received) == 2)
        assert len(set(a.senders)) == 2
        await settled()
        assert visitor.nothing()
        [row] = await rows(relay)
        assert (row.packets_in, row.packets_out) == (1, 0)


async def test_full_table_makes_room_by_the_oldest_flow_without_a_reply(tmp_path):
    async with (
        member(lambda data: [data] if data == b"loud" else []) as a,
        relaying(tmp_path, config(a.address, sessions={"size": 2})) as relay,
    ):
        visitors = [relay.visitor() for _ in range(3)]
        await visitors[0].ask(b"loud")
        for visitor in visitors[1:]:
            visitor.send(b"quiet")
        await eventually(lambda: relay.worker.sessions.table.opened == 3)
        kept = {row.client for row in await rows(relay)}
        assert kept == {"{}:{}".format(*visitors[n].sock.getsockname()) for n in (0, 2)}
        assert relay.worker.sessions.ended.counts == {("udp", "game", "evicted"): 1}


async def test_idle_flow_expires_and_a_reload_changes_when(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        visitor = relay.visitor()
        await visitor.ask(b"x")
        await relay.change(lambda mapping: mapping.update(sessions={"timeouts": {"udp_stream": "200ms"}}))
        await eventually(lambda: not len(relay.worker.sessions.table))
        assert relay.worker.sessions.ended.counts == {("udp", "game", "expired"): 1}


async def test_expiry_takes_one_slice_in_each_loop_iteration(tmp_path, monkeypatch):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        worker, slices = relay.worker, 0

        def tick(now):
            nonlocal slices
            slices += 1
            return True

        monkeypatch.setattr(worker.sessions, "table", SimpleNamespace(tick=tick))
        for _ in range(4):
            worker._tick.cancel()
            worker._on_tick()
        slices = 0
        for _ in range(10):
            await asyncio.sleep(0)
        assert slices <= 11
        monkeypatch.undo()
