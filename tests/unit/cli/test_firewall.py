"""`adc firewall` on configurations that are not served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adc.cli.app import app

CONFIG = """\
firewall:
  default: drop
  sets: {office: [198.51.100.0/24], idle: {file: idle.txt}}
  rules:
    - {name: bad, action: drop, source: 192.0.2.0/24}
    - {name: seen, action: count, listener: db}
    - {name: few, action: reject, over: {new_connections: 60/m}}
    - {name: hidden, action: accept, source: 192.0.2.7, port: 80}
    - name: night
      action: accept
      listener: db
      time: {from: "22:00", to: "06:00"}
listeners: [{name: db, bind: ":15432"}]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "idle.txt").write_text("# nothing yet\n")
    file = tmp_path / "adc.yaml"
    file.write_text(CONFIG)
    return file


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["firewall", *map(str, arguments)])
    return result.exit_code, result.output


def test_explain_shows_each_step_with_its_line(config: Path) -> None:
    code, output = run("explain", config, "tcp 10.0.0.1:4000 -> 127.0.0.1:15432 new at 2026-11-29T23:00")
    assert code == 0
    assert output.replace(f"{config}", "F").splitlines() == [
        "F:5: bad: source 10.0.0.1 does not match 192.0.2.0/24",
        "F:6: seen: listener db matches db",
        "F:7: few: over a rate below that does not match 60/m per source",
        "F:8: hidden: port 15432 does not match 80",
        "F:11: night: listener db matches db",
        "F:12: night: time Sun 2026-11-29T23:00Z matches mon, tue, wed, thu, fri, sat, sun 22:00 to 06:00 UTC",
        "F:9: -> night: accept",
    ]


def test_explain_names_the_default(config: Path) -> None:
    code, output = run(
        "explain", config, "tcp 10.0.0.1:4000 -> 127.0.0.1:15432 at 2026-11-29T12:00", "--json"
    )
    verdict = json.loads(output)
    assert (code, verdict["rule"], verdict["action"]) == (0, "(default)", "drop")
    assert verdict["where"] == f"{config}:2"


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        ("udp 10.0.0.1:4000 -> 127.0.0.1:15432", "no udp listener has 127.0.0.1 port 15432"),
        ("tcp [::2]:4000 -> [::1]:53", "no tcp listener has ::1 port 53"),
        (
            "icmp 10.0.0.1 -> 127.0.0.1",
            "no rule with protocol icmp matches, and the default is about listeners",
        ),
        (
            "tcp 10.0.0.1:4000 -> 127.0.0.1:15432 established",
            "its flow was accepted, and no rule has this state",
        ),
    ],
)
def test_explain_says_why_no_rule_and_no_default_decides(config: Path, packet: str, why: str) -> None:
    code, output = run("explain", config, packet)
    assert code == 0
    assert output.endswith(f": accept, because {why}\n")


@pytest.mark.parametrize("bind", ["0.0.0.0:80", "[::]:80"])
def test_explain_finds_listeners_on_all_addresses_of_one_version(config: Path, bind: str) -> None:
    config.write_text(CONFIG.replace(":15432", bind))
    for packet, v6 in (("tcp 10.0.0.1 -> 127.0.0.1:80", False), ("tcp 2001:db8::1 -> [::1]:80", True)):
        filtered = "(not filtered)" not in run("explain", config, packet)[1]
        assert filtered is (v6 == ("[" in bind))


def test_explain_covers_what_only_the_kernel_sees(config: Path) -> None:
    config.write_text("""\
firewall:
  engine: nftables
  default: drop
  rules:
    - {name: plain, action: drop}
    - {name: pings, action: drop, protocol: icmp, interface: eth1, over: {packets: 5/s}}
    - {name: unwanted, action: drop, protocol: [icmp, tcp], interface: eth1, state: [new, invalid]}
listeners: [{name: db, bind: ":15432"}]
""")
    code, output = run("explain", config, "icmp 2001:db8::5 -> ::1 invalid on eth1")
    assert code == 0
    assert output.replace(f"{config}", "F").splitlines() == [
        "F:5: plain: protocol icmp does not match tcp, udp",
        "F:6: pings: state invalid does not match new, established, related",
        "F:7: unwanted: state invalid matches new, invalid",
        "F:7: unwanted: protocol icmp matches icmp, tcp",
        "F:7: unwanted: interface eth1 matches eth1",
        "F:7: -> unwanted: drop",
    ]


def test_explain_refuses_what_is_no_packet(config: Path) -> None:
    code, output = run("explain", config, "hello")
    assert code == 2
    assert "is not a packet; write PROTOCOL SOURCE" in output


def test_check_finds_hidden_rules_and_empty_sets(config: Path) -> None:
    code, output = run("check", config)
    assert code == 1
    assert 'rule "hidden" is never reached: rule "bad" (rules[0]) decides on all its packets' in output
    assert 'set "idle" has no networks' in output
    assert 'set "office" is used by no rule' in output
    assert "locks out" not in output


def test_rule_about_icmp_is_not_hidden_by_one_about_flows(config: Path) -> None:
    config.write_text("""\
firewall:
  engine: nftables
  rules:
    - {name: all, action: drop}
    - {name: pings, action: drop, protocol: icmp}
    - {name: tcp, action: drop, protocol: tcp}
listeners: [{name: db, bind: ":15432"}]
""")
    code, output = run("check", config)
    assert code == 1
    assert '"tcp" is never reached' in output
    assert '"pings"' not in output


@pytest.mark.parametrize(("engine", "warned"), [("nftables", True), ("userspace", False)])
def test_check_finds_clients_that_the_kernel_does_not_see(config: Path, engine: str, warned: bool) -> None:
    config.write_text(f"""\
firewall: {{engine: {engine}, rules: [{{name: bad, action: drop, source: 192.0.2.0/24}}]}}
listeners: [{{name: web, bind: ":15432", proxy_protocol: true, trusted_proxies: [127.0.0.1]}}]
""")
    output = run("check", config)[1]
    assert ("the firewall sees the senders of PROXY protocol headers" in output) is warned, output


def test_check_finds_listeners_without_clients(config: Path) -> None:
    config.write_text(CONFIG.replace("action: accept\n      listener: db", "action: accept\n      port: 22"))
    assert 'drop locks out all clients of listener "db": no rule accepts them' in run("check", config)[1]


def test_show_lists_rules_with_their_places(config: Path) -> None:
    code, output = run("show", config, "--json")
    rows = json.loads(output)
    assert code == 0
    assert [row["rule"] for row in rows] == ["bad", "seen", "few", "hidden", "night", "(default)"]
    assert rows[3]["when"] == "port 80; source 192.0.2.7"
    assert rows[4]["where"] == f"{config}:9"


def test_configuration_without_a_firewall_is_misuse(config: Path) -> None:
    config.write_text("listeners: [{bind: ':80'}]\n")
    code, output = run("show", config)
    assert code == 2
    assert "there is no firewall" in output


def test_broken_set_files_are_named_with_their_line(config: Path) -> None:
    (config.parent / "idle.txt").write_text("10.0.0.0/8\n300.0.0.1\n")
    code, output = run("check", config)
    assert code == 2
    assert "idle.txt:2: " in output
