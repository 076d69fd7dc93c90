"""The firewall in front of real listeners: http, udp, the PROXY protocol, sets that change, reloads."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections import Counter
from pathlib import Path

import pytest
import yaml

from adc.firewall.packet import packet_of
from adc.net.proxy_protocol import compose
from adc.runtime.errors import BuildError
from adc.runtime.serve import firewall as serve_firewall
from tests.kit import datagrams
from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import PATIENCE, eventually
from tests.wire.contract import contract

BAD = {"name": "bad", "action": "drop", "source": "127.0.0.9"}


@pytest.fixture
async def member():
    async with Member() as member:
        yield member


async def outcome(port: int, source: str = "127.0.0.1", first: bytes = b"") -> str:
    """Return what a client from `source` gets: `served`, or `reset`."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind((source, 0))
        try:
            async with asyncio.timeout(PATIENCE):
                await loop.sock_connect(sock, ("127.0.0.1", port))
                await loop.sock_sendall(sock, first + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                found = await loop.sock_recv(sock, 100)
        except (ConnectionResetError, BrokenPipeError):
            return "reset"
    return "served" if found.startswith(b"HTTP/1.1 200") else repr(found)


def metrics(proxy) -> dict[tuple[str, ...], float]:
    return {
        sample.labels: sample.value
        for sample in proxy.worker.samples()
        if sample.name == "adc_firewall_packets_total"
    }


async def test_dropped_source_is_reset_and_counted_and_others_are_served(tmp_path, member):
    async with serving(tmp_path, config(member.address, firewall={"rules": [BAD]})) as proxy:
        assert await outcome(proxy.port, "127.0.0.9") == "reset"
        assert await outcome(proxy.port, "127.0.0.8") == "served"
        assert metrics(proxy) == {("bad", "drop"): 1, ("(default)", "accept"): 1}
        assert proxy.listener.state.accepted == 1


async def test_listener_without_a_firewall_asks_nobody(tmp_path, member):
    async with serving(tmp_path, config(member.address)) as proxy:
        context = proxy.listener._accepting.accept_context
        assert context.admit is None
        assert context.admit_client is None


async def test_flows_above_a_rate_are_rejected_for_their_source_only(tmp_path, member):
    over = {"new_connections": "3/h", "per": "source"}
    rules = [{"name": "few", "action": "reject", "source": ["any"], "over": over}]
    async with serving(tmp_path, config(member.address, firewall={"rules": rules})) as proxy:
        found = [await outcome(proxy.port, "127.0.0.7") for _ in range(5)]
        assert found == ["served"] * 3 + ["reset"] * 2
        assert await outcome(proxy.port, "127.0.0.6") == "served"


async def test_reload_keeps_rates_counters_and_open_connections(tmp_path, member):
    rule = {"name": "few", "action": "reject", "over": {"new_connections": "2/h"}}
    async with (
        serving(tmp_path, config(member.address, firewall={"rules": [rule]})) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get())).status == 200
        assert [await outcome(proxy.port) for _ in range(2)] == ["served", "reset"]
        await proxy.change(lambda mapping: mapping["firewall"]["rules"].insert(0, BAD))
        assert await outcome(proxy.port) == "reset"
        assert metrics(proxy)["few", "reject"] == 2
        await proxy.change(lambda mapping: mapping["firewall"].update(default="drop", rules=[]))
        assert await outcome(proxy.port) == "reset"
        assert (await client.ask(get())).status == 200
        await proxy.change(lambda mapping: mapping.pop("firewall"))
        assert await outcome(proxy.port) == "served"


async def test_listener_names_choose_rules(tmp_path, member):
    rules = [{"action": "accept", "listener": "web"}]
    top = {"firewall": {"default": "drop", "rules": rules}}
    async with serving(tmp_path, config(member.address, **top)) as proxy:
        assert await outcome(proxy.port) == "served"


async def test_rules_see_the_proxy_first_and_then_its_client(tmp_path, member):
    rules = [
        {"name": "client", "action": "drop", "source": "203.0.113.0/24"},
        {"name": "peer", "action": "drop", "source": "127.0.0.9"},
        {"name": "few", "action": "drop", "over": {"new_connections": "1/h"}},
    ]
    listener = {"proxy_protocol": {"from": ["127.0.0.0/8"]}}
    async with serving(
        tmp_path, config(member.address, listener=listener, firewall={"rules": rules})
    ) as proxy:

        def header(client: str) -> bytes:
            return compose("v1", ((client, 4711), ("198.51.100.7", 80)))

        assert await outcome(proxy.port, first=header("203.0.113.9")) == "reset"
        assert await outcome(proxy.port, "127.0.0.9", header("192.0.2.1")) == "reset"
        assert await outcome(proxy.port, first=header("192.0.2.1")) == "served"
        assert await outcome(proxy.port, first=header("192.0.2.2")) == "served"
        assert await outcome(proxy.port, first=header("192.0.2.2")) == "reset"
        unknown = [await outcome(proxy.port, "127.0.0.4", b"PROXY UNKNOWN\r\n") for _ in range(2)]
        assert unknown == ["served", "reset"]  # the sender is the client, to all rules
        assert metrics(proxy)["client", "drop"] == metrics(proxy)["peer", "drop"] == 1


async def test_clients_with_ipv6_meet_networks_and_share_the_rate_of_their_network(tmp_path, member):
    rules = [
        {"name": "bad", "action": "drop", "source": "bad"},
        {"name": "few", "action": "drop", "over": {"new_connections": "1/h"}},
    ]
    firewall = {"sets": {"bad": ["2001:db8:bad::/48", "10.0.0.0/8"]}, "rules": rules}
    listener = {"proxy_protocol": {"from": ["127.0.0.0/8"]}}
    async with serving(tmp_path, config(member.address, listener=listener, firewall=firewall)) as proxy:
        clients = ("2001:db8:bad::1", "2001:db8:1::1", "2001:db8:1::2", "2001:db8:1:1::1", "::ffff:10.1.2.3")
        found = [
            await outcome(proxy.port, first=compose("v2", ((client, 4711), ("2001:db8::80", 80))))
            for client in clients
        ]
    assert found == ["reset", "served", "reset", "served", "reset"]


async def test_set_follows_its_file_and_a_bad_file_changes_nothing(tmp_path, member, monkeypatch):
    monkeypatch.setattr(serve_firewall, "_LOOK_EVERY", 0.1)
    file = tmp_path / "bad.txt"
    file.write_text("127.0.0.9\n")
    firewall = {
        "sets": {"bad": {"file": "bad.txt"}},
        "rules": [{"name": "bad", "action": "drop", "source": "bad"}],
    }
    top = {"firewall": firewall, "error_log": {"path": str(tmp_path / "error.log")}}
    async with serving(tmp_path, config(member.address, **top)) as proxy:
        assert await outcome(proxy.port, "127.0.0.9") == "reset"
        replace(file, "127.0.0.8 # another\n")
        async with asyncio.timeout(PATIENCE):
            while await outcome(proxy.port, "127.0.0.8") != "reset":
                await asyncio.sleep(0.05)
        assert await outcome(proxy.port, "127.0.0.9") == "served"
        replace(file, "127.0.0.8\nnonsense\n")
        log = tmp_path / "error.log"
        await eventually(lambda: "firewall_set_not_reloaded" in log.read_text())
        assert "bad.txt:2: " in log.read_text()
        assert await outcome(proxy.port, "127.0.0.8") == "reset"
        with pytest.raises(BuildError, match=r"bad\.txt:2: "):
            await proxy.prepare()


def replace(file: Path, text: str) -> None:
    """Replace a file as editors and downloads do."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)


async def test_drops_are_logged_at_their_rate(tmp_path, member):
    once = {"log": {"rate": "1/h"}}
    rules = [{"name": "seen", "action": "count", **once}, BAD | once]
    top = {
        "firewall": {"rules": rules},
        "error_log": {"path": str(tmp_path / "error.log"), "format": "json"},
    }
    async with serving(tmp_path, config(member.address, **top)) as proxy:
        assert [await outcome(proxy.port, "127.0.0.9") for _ in range(3)] == ["reset"] * 3
    lines = [json.loads(line) for line in (tmp_path / "error.log").read_text().splitlines()]
    counted, line = [line for line in lines if line["event"] == "firewall_decided"]
    assert (counted["rule"], counted["action"]) == ("seen", "count")
    assert (line["rule"], line["action"], line["listener"]) == ("bad", "drop", "web")
    assert line["client"].startswith("127.0.0.9:")


async def test_rules_of_the_contract(tmp_path, member):
    firewall = yaml.safe_load(contract("07-l4"))["firewall"]
    async with serving(tmp_path, config(member.address, firewall=firewall)) as proxy:
        rules = proxy.worker.firewall.filter

        def decide(source: str) -> tuple[str, str]:
            packet = packet_of("tcp", (source, 4000), ("127.0.0.1", 15432), "db")
            decision = rules.decide(packet, 5.0, 0.0)
            return decision.name, decision.action

        assert decide("192.0.2.77") == ("no-bad-net", "drop")
        found = Counter(decide("198.51.100.1") for _ in range(1003))
        assert found == {("(default)", "accept"): 1000, ("few-per-host", "reject"): 3}
        assert decide("198.51.100.2") == ("(default)", "accept")


SERVED = """
workers: 2
admin: {bind: "@admin"}
firewall: {rules: [{name: few, action: reject, over: {new_connections: 3/h}}]}
listeners: [{name: web, bind: "@web"}]
routes: [{name: all, respond: {status: 200, body: yes}}]
"""


async def test_workers_count_rates_together_and_over_reloads(service):
    service.write(SERVED)
    await service.started()
    assert Counter([await outcome(service.port, "127.0.0.5") for _ in range(8)]) == {"served": 3, "reset": 5}
    admin = ("--admin", f"127.0.0.1:{service.admin}")
    service.write(SERVED.replace("body: yes", "body: again"))
    assert (await service.run("reload", *admin))[0] == 0
    assert await outcome(service.port, "127.0.0.5") == "reset"
    code, shown = await service.run("firewall", "show", "--json", *admin)
    assert (code, json.loads(shown)) == (
        0,
        [
            {"rule": "few", "action": "reject", "packets": 6},
            {"rule": "(default)", "action": "accept", "packets": 3},
        ],
    )


async def test_unix_sockets_have_permissions_instead_of_rules(tmp_path, member):
    async with serving(tmp_path, config(member.address, firewall={"default": "drop"})) as proxy:
        admit = proxy.worker.firewall.admission("web", "tcp")
        assert admit("", "/run/adc.sock")
        assert not admit(("192.0.2.1", 1), ("127.0.0.1", 2))
        assert proxy.worker.firewall.admission("(cluster)", "tcp") is None


async def test_udp_clients_are_dropped_before_a_session_is_opened(tmp_path):
    rules = [BAD, {"name": "few", "action": "drop", "over": {"new_connections": "2/h", "per": "rule"}}]
    mapping = datagrams.config("127.0.0.1:9", firewall={"rules": rules})
    async with (
        datagrams.member() as member,
        datagrams.relaying(tmp_path, mapping | {"pools": {"app": {"members": [member.address]}}}) as relay,
    ):
        visitors = [relay.visitor(own=f"127.0.0.{last}") for last in (9, 1, 2, 3)]
        visitors[0].send(b"dropped")
        assert [await visitor.ask(b"hello") for visitor in visitors[1:3]] == [b"hello"] * 2
        visitors[3].send(b"one too many")
        assert await visitors[1].ask(b"again") == b"again"
        await eventually(lambda: relay.listener._relay.drops == {"firewall": 2})
        assert member.received == [b"hello", b"hello", b"again"]
