"""The kernel decides by the same rules as a worker's filter, and only about packets to listeners."""

import os
import random
import socket
import struct
import time
from collections import defaultdict
from datetime import datetime
from ipaddress import ip_address
from zoneinfo import ZoneInfo

import pytest

from adc.config import Config
from adc.control import kernel_table
from adc.firewall.filter import DEFAULT, UNFILTERED
from adc.firewall.nftables.rules import counter_of
from adc.firewall.packet import Packet
from adc.runtime.assembly.firewall import filter_of, read_sets
from tests.kit import netns
from tests.kit.waiting import PATIENCE
from tests.wire.kernel.conftest import FAMILIES

pytestmark = netns.required

WEB, DNS = 8080, 5353
PACKETS = 300
SOURCES = ["10.71.1.2", "10.71.1.77", "192.0.2.7", "192.0.2.130", "198.51.100.1", "203.0.113.9", "172.16.5.5"]
SOURCES6 = [
    "fd71:1::2",
    "fd71:1::77",
    "2001:db8::7",
    "2001:db8:0:1::7",
    "2001:db8:ffff::1",
    "2001:db9::1",
    "2002::1",
]
SETS = {"bad": ["192.0.2.128/25", "172.16.5.5", "2001:db8:ffff::/48", "2002::1"]}
RULES = [
    {"name": "seen", "action": "count", "source": ["192.0.2.0/24", "172.16.0.0/12", "2001:db8::/32"]},
    {
        "name": "pings",
        "action": "drop",
        "protocol": ["icmp", "udp"],
        "source": ["10.71.1.77", "2001:db8::/64"],
    },
    {"name": "no-port", "action": "drop", "protocol": ["icmp", "udp"], "source_port": ["1-100"]},
    {"name": "bad", "action": "drop", "source": ["bad"]},
    {"name": "bad-pings", "action": "reject", "protocol": ["icmp"], "source": ["bad"]},
    {
        "name": "web",
        "action": "accept",
        "listener": ["web", "web6"],
        "source": ["10.71.1.0/24", "fd71:1::/64"],
        "source_port": ["1024-40000"],
    },
    {"name": "low", "action": "reject", "protocol": ["tcp"], "source_port": ["1-2000", 1999, 30000]},
    {
        "name": "names",
        "action": "drop",
        "protocol": ["udp"],
        "port": [DNS],
        "source": ["bad", "198.51.100.0/24", "2001:db9::1"],
    },
    {"name": "never", "action": "drop", "interface": ["other0"]},
    {"name": "front", "action": "accept", "interface": ["front"], "protocol": ["udp"]},
    {
        "name": "odd",
        "action": "drop",
        "destination": ["10.71.1.1", "fd71:1::1"],
        "source": ["203.0.113.0/24", "2001:db8:0:1::7"],
        "log": True,
    },
    {
        "name": "pings-of-clients",
        "action": "count",
        "protocol": ["icmp"],
        "source": ["10.71.0.0/16", "fd71::/16"],
    },
]


def config(net, rules, **firewall):
    own, own6 = net.address("adc"), net.address6("adc")
    return Config.model_validate(
        {
            "node": "n1",
            "listeners": [
                {"name": "web", "bind": f"{own}:{WEB}"},
                {"name": "dns", "bind": f"{own}:{DNS}", "protocol": "udp", "pool": "p"},
                {"name": "web6", "bind": f"[{own6}]:{WEB}"},
                {"name": "dns6", "bind": f"[{own6}]:{DNS}", "protocol": "udp", "pool": "p"},
            ],
            "pools": {"p": ["10.71.2.21:53"]},
            "firewall": {"engine": "nftables", "default": "drop", "rules": rules, **firewall},
        }
    )


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def content(packet):
    """Protocol number, bytes, and place of the checksum: a SYN, a datagram of four bytes, or an echo request."""
    if packet.protocol == "tcp":
        ports = packet.source_port, packet.port
        return 6, struct.pack("!HHIIBBHHH", *ports, 1, 0, 0x50, 2, 8192, 0, 0), 16
    if packet.protocol == "udp":
        return 17, struct.pack("!HHHH", packet.source_port, packet.port, 12, 0) + b"data", 6
    number, kind = (58, 128) if packet.source.version == 6 else (1, 8)
    return number, struct.pack("!BBHHH", kind, 0, 0, 7, 1), 2


def frame(packet):
    """The whole IP packet."""
    number, body, at = content(packet)
    ends = packet.source.packed + packet.destination.packed
    pseudo = b"" if number == 1 else ends + struct.pack("!II", len(body), number)
    body = body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2 :]
    if packet.source.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(body), number, 64) + ends + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, number, 0) + ends
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def packets(own, own6, seed=16):
    """Packets of new flows, the same in every run; every source also sends an echo request."""
    rng = random.Random(seed)
    flows = set()
    for sources, address, suffix in ((SOURCES, own, ""), (SOURCES6, own6, "6")):
        to = ip_address(address)
        flows |= {Packet("icmp", ip_address(source), 0, to, 0, "new", "front") for source in sources}
        until = len(flows) + PACKETS // 2 - len(sources)
        while len(flows) < until:
            protocol, port, listener = rng.choice([("tcp", WEB, "web"), ("udp", DNS, "dns")])
            source = ip_address(rng.choice(sources))
            source_port = rng.choice([rng.randint(1, 2500), rng.randint(1024, 65535), 30000])
            flows.add(Packet(protocol, source, source_port, to, port, "new", "front", listener + suffix))
    return sorted(flows, key=str)


def settled(read, wanted, seconds=PATIENCE):
    """What `read` returns once it is `wanted`, or after some seconds. It waits longer each time: many read a table of
    the kernel, which takes 10 ms of a processor, or start a process."""
    deadline, pause = time.monotonic() + seconds, 0.005
    while (found := read()) != wanted and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(1.5 * pause, 0.1)
    return found


def test_kernel_and_filter_decide_the_same_about_generated_packets(net, node):
    settings = config(net, RULES, sets=SETS)
    node.serve(settings)
    rules = filter_of(settings.firewall, read_sets(settings.firewall))
    decided = defaultdict(list)
    for packet in packets(net.address("adc"), net.address6("adc")):
        decided[rules.decide(packet, 0.0, time.time()).name, packet.protocol].append(packet)
    names = {name for name, _ in decided}
    assert names >= {
        "bad",
        "web",
        "low",
        "names",
        "front",
        "pings",
        "no-port",
        "bad-pings",
        DEFAULT,
        UNFILTERED,
    }
    assert sum(map(len, decided.values())) == PACKETS
    again = filter_of(settings.firewall, read_sets(settings.firewall))
    senders = {
        6 if family == socket.AF_INET6 else 4: net.client.call(
            socket.socket, family, socket.SOCK_RAW, socket.IPPROTO_RAW
        )
        for family in FAMILIES
    }
    for group in decided.values():
        for packet in group:
            again.decide(packet, 0.0, time.time())
            senders[packet.source.version].sendto(frame(packet), (str(packet.destination), 0))
        wanted = {counter_of(rule): count for rule, count in again.counters.items()}
        assert settled(node.counters, wanted, 5) == wanted, group
    for sender in senders.values():
        sender.close()


def test_listener_on_a_link_local_address_has_rules(net, node):
    zone = Config.model_validate(
        {
            "node": "n1",
            "listeners": [{"name": "web", "bind": f"[fe80::1%front]:{WEB}"}],
            "firewall": {"engine": "nftables", "default": "drop"},
        }
    )
    node.serve(zone)
    assert f"ip6 daddr fe80::1 tcp dport {WEB} jump" in net.adc.run(
        ("nft", "list", "table", "inet", "adc_n1")
    )


def test_neighbours_are_found_whatever_the_rules_say(net, node):
    rules = [
        {"action": "accept", "listener": ["web6"], "source": [net.address6("client")]},
        {
            "name": "pings",
            "action": "drop",
            "protocol": ["icmp"],
            "state": ["new", "established", "related", "invalid"],
        },
    ]
    node.serve(config(net, rules))
    for role, side in (("client", "front"), ("adc", "front")):
        net[role].run(("ip", "-6", "neigh", "flush", "dev", side))
    with net.adc.call(socket.create_server, (net.address6("adc"), WEB), family=socket.AF_INET6):
        net.client.connect(net.address6("adc"), WEB).close()


@pytest.mark.parametrize("v6", [False, True], ids=["v4", "v6"])
@pytest.mark.parametrize("dropped", [False, True], ids=["accepted", "dropped"])
def test_errors_about_a_flow_pass_unless_a_rule_names_their_state(net, node, v6, dropped):
    client, own = (
        (net.address6 if v6 else net.address)("client"),
        (net.address6 if v6 else net.address)("adc"),
    )
    rules = [
        {"action": "accept", "source": [client]},
        {
            "name": "errors",
            "action": "drop",
            "protocol": ["icmp"],
            **({"state": ["related"]} if dropped else {}),
        },
    ]
    node.serve(config(net, rules))
    with net.adc.socket(FAMILIES[v6], socket.SOCK_DGRAM) as server:
        server.settimeout(1)
        server.bind((own, DNS))
        with net.client.socket(FAMILIES[v6], socket.SOCK_DGRAM) as asking:
            asking.connect((own, DNS))
            asking.send(b"x")
            _, peer = server.recvfrom(10)
        server.connect(peer)
        server.send(b"nobody is there")
        with pytest.raises(TimeoutError if dropped else ConnectionRefusedError):
            server.recv(10)
    assert (
        node.counters()["rule_errors"] > 0
    ) is dropped  # the node may get errors about its own checks, too


def test_hosts_of_an_ipv6_network_share_a_rate_and_packets_count(net, node):
    over = {"packets": "3/h", "per": "source"}
    node.serve(config(net, [{"name": "many", "action": "drop", "over": over}], default="accept"))
    own = ip_address(net.address6("adc"))
    with net.client.call(socket.socket, socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
        for host in (
            "2001:db8::1",
            "2001:db8::2",
            "2001:db8:0:1::1",
            "2001:db8::3",
            "2001:db8::1",
            "2001:db8::1",
        ):
            packet = Packet("udp", ip_address(host), 4000, own, DNS)
            sender.sendto(frame(packet), (str(own), 0))
    assert settled(lambda: node.counters()["default"], 4, 5) == 4
    assert node.counters()["rule_many"] == 2


ANSWERED = 0.4
"""Seconds in which the node has answered, unless it dropped the packet: it takes microseconds."""


def connects(net, port=WEB):
    try:
        net.client.connect(net.address("adc"), port, ANSWERED).close()
    except TimeoutError:
        return "dropped"
    except ConnectionRefusedError:
        return "reset"
    return "accepted"


@pytest.fixture
def served(net):
    with net.adc.call(socket.create_server, (net.address("adc"), WEB)) as server:
        yield server


def test_actions_are_seen_by_clients(net, node, served):
    for action, seen in {"accept": "accepted", "drop": "dropped", "reject": "reset"}.items():
        node.serve(config(net, [{"action": action, "source": [net.address("client")]}]))
        assert connects(net) == seen


def test_default_does_not_apply_to_ports_without_a_listener(net, node, served):
    node.serve(config(net, []))
    assert connects(net) == "dropped"
    with net.adc.call(socket.create_server, (net.address("adc"), 2222)):
        assert connects(net, 2222) == "accepted"


def test_flow_above_the_rate_of_its_source_is_refused(net, node, served):
    over = {"new_connections": "3/h", "per": "source"}
    node.serve(config(net, [{"name": "few", "action": "reject", "over": over}], default="accept"))
    assert [connects(net) for _ in range(5)] == ["accepted"] * 3 + ["reset"] * 2
    assert node.counters()["rule_few"] == 2


def test_rates_and_counters_go_on_over_a_reload(net, node, served):
    rules = [{"name": "few", "action": "reject", "over": {"new_connections": "2/h"}}]
    node.serve(config(net, rules, default="accept"))
    assert [connects(net) for _ in range(3)] == ["accepted", "accepted", "reset"]
    node.serve(config(net, [*rules, {"name": "more", "action": "count"}], default="accept"))
    assert connects(net) == "reset"
    assert node.counters()["rule_few"] == 2


def test_set_follows_its_file_once_two_looks_find_it_the_same(net, node, served, tmp_path):
    file = tmp_path / "bad.txt"
    file.write_text("192.0.2.0/24\n")
    rules = [{"action": "reject", "source": ["bad"]}]
    node.serve(config(net, rules, default="accept", sets={"bad": {"file": str(file)}}))
    assert connects(net) == "accepted"
    file.write_text(f"{net.address('client')}\n")
    node.follow()
    assert connects(net) == "accepted"
    file.write_text(f"192.0.2.0/24\n{net.address('client')} # one more\n")
    node.follow()
    assert connects(net) == "accepted"
    node.follow()
    assert connects(net) == "reset"


@pytest.mark.parametrize("breakage", ["half", "gone", "fifo", "folder", "endless"])
def test_file_that_cannot_be_used_leaves_its_set_in_force(net, node, served, tmp_path, breakage, caplog):
    file = tmp_path / "bad.txt"
    file.write_text(f"{net.address('client')}\n")
    rules = [{"action": "reject", "source": ["bad"]}]
    node.serve(config(net, rules, default="accept", sets={"bad": {"file": str(file)}}))
    file.unlink()
    replacements = {
        "half": lambda: file.write_text("192.0.2.0/24\n192.0."),
        "gone": lambda: None,
        "fifo": lambda: os.mkfifo(file),
        "folder": file.mkdir,
        "endless": lambda: file.symlink_to("/dev/zero"),
    }
    replacements[breakage]()
    for _ in range(4):
        node.follow()
    assert connects(net) == "reset"
    assert caplog.text.count("firewall_set_not_reloaded") == 1


@pytest.mark.parametrize("name", ["local", "default", "guard", "a.b-c_", "n" * 128, "0"])
def test_every_name_that_the_configuration_allows_is_one_for_the_kernel(net, node, served, name):
    own, client = net.address("adc"), net.address("client")
    listeners = [
        {"name": name, "bind": f"{own}:{WEB}"},
        {
            "name": f"{name[:120]}_fwd",
            "bind": f"{own}:9000",
            "protocol": "tcp",
            "pool": name,
            "datapath": "kernel",
        },
    ]
    rules = [
        {"name": name, "action": "reject", "source": [name], "listener": [name], "log": True},
        {"name": f"{name[:120]}-r", "action": "drop", "over": {"packets": "100000/s", "per": "source"}},
        {"name": f"{name[:120]}-l", "action": "drop", "over": {"packets": "100000/s", "per": "rule"}},
    ]
    node.serve(
        Config.model_validate(
            {
                "node": "n1",
                "listeners": listeners,
                "pools": {name: ["10.71.2.21:53"]},
                "firewall": {"engine": "nftables", "sets": {name: [client]}, "rules": rules},
            }
        )
    )
    assert connects(net) == "reset"
    assert "hook output" in net.adc.run(("nft", "list", "chain", "inet", "adc_n1", "guard_local"))


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_datagram_to_everyone_meets_the_rules_of_a_listener_on_all_addresses(net, node, family):
    v6 = family == socket.AF_INET6
    settings = config(net, [])
    bind = f"[::]:{DNS}" if v6 else f"0.0.0.0:{DNS}"
    listeners = [{"name": "dns", "bind": bind, "protocol": "udp", "pool": "p"}]
    node.serve(
        Config.model_validate(
            settings.model_dump(include={"node"})
            | {
                "listeners": listeners,
                "pools": {"p": ["10.71.2.21:53"]},
                "firewall": {"engine": "nftables", "default": "drop"},
            }
        )
    )
    with net.client.socket(family, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        front = net.client.call(socket.if_nametoindex, "front")
        target = ("ff02::1", DNS, 0, front) if v6 else ("10.71.1.255", DNS)
        client.sendto(b"x", target)
    assert settled(lambda: node.counters()["default"], 1) == 1


class Clock:
    """Stands for the module time: the wall clock is set by the test."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self, wall):
        self.wall = wall

    def time(self):
        return self.wall


def test_rules_are_in_force_in_their_hours(net, node, served, monkeypatch):
    clock = Clock(0.0)
    monkeypatch.setattr(kernel_table, "time", clock)
    night = {"days": ["sat"], "from": "22:00", "to": "06:00", "timezone": "Europe/Berlin"}
    evening = {"days": ["sat"], "from": "21:00", "to": "23:00", "timezone": "Europe/Berlin"}
    rules = [{"action": "drop", "time": night}, {"action": "reject", "time": evening}]
    seen = {}
    for text in ("20:59", "21:00", "22:00", "23:30", "+05:59", "+06:00"):
        day = "2026-10-25" if text.startswith("+") else "2026-10-24"
        moment = datetime.fromisoformat(f"{day}T{text.removeprefix('+')}").replace(
            tzinfo=ZoneInfo("Europe/Berlin")
        )
        clock.wall = moment.timestamp()
        if not seen:
            node.serve(config(net, rules, default="accept"))
        node.follow()
        seen[text] = connects(net)
    assert list(seen.values()) == ["accepted", "reset", "dropped", "dropped", "dropped", "accepted"]


def test_rules_stay_on_exit_unless_they_are_to_be_removed(net, node, served):
    for removed, seen in {False: "dropped", True: "accepted"}.items():
        node.serve(config(net, [], remove_on_exit=removed))
        node.stop()
        assert connects(net) == seen


def test_rules_are_shown_with_the_counters_of_the_kernel(net, node, served):
    node.serve(config(net, [{"name": "all", "action": "reject", "port": WEB}]))
    assert connects(net) == "reset"
    rows = node.run(node.table.rows())
    assert [(row.rule, row.action, row.packets) for row in rows] == [
        ("all", "reject", 1),
        (DEFAULT, "drop", 0),
    ]
