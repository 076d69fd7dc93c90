"""Access by address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from adc_plugins.ip_access.plugin import IpAccess

from adc.plugin import OptionErrors
from adc.plugin.testkit import PluginStartFailed, Trial, request


def status(options: dict[str, Any], client: str, **more: Any) -> int:
    return Trial(IpAccess, options, **more).run(request(client=client)).response.status


@pytest.mark.parametrize(
    ("options", "allowed", "denied"),
    [
        ({"allow": ["10.0.0.0/8"]}, ["10.1.2.3"], ["192.0.2.1", "2001:db8::1", "unix", ""]),
        ({"deny": "192.0.2.0/24"}, ["10.1.2.3", "unix"], ["192.0.2.1"]),
        ({"allow": ["10.0.0.0/8"], "deny": ["10.9.0.0/16"]}, ["10.1.2.3"], ["10.9.1.1", "11.0.0.1"]),
        ({"rules": [{"allow": "10.9.0.1"}, {"deny": "10.0.0.0/8"}]}, ["10.9.0.1"], ["10.9.0.2", "1.1.1.1"]),
        (
            {"rules": [{"deny": "10.0.0.0/8"}, {"allow": "10.9.0.1"}], "default": "allow"},
            ["1.1.1.1"],
            ["10.9.0.1"],
        ),
        ({"rules": [{"deny": "10.0.0.0/8"}, {"allow": "all"}]}, ["1.1.1.1", "::1"], ["10.0.0.1"]),
        ({"deny": ["::/0"]}, ["10.0.0.1"], ["2001:db8::1"]),
    ],
)
def test_first_rule_with_the_address_decides(options: Any, allowed: list[str], denied: list[str]) -> None:
    assert [status(options, client) for client in allowed] == [200] * len(allowed)
    assert [status(options, client) for client in denied if client] == [403] * len([c for c in denied if c])


def test_status_abort_and_peer() -> None:
    assert status({"deny": "10.0.0.0/8", "status": 404}, "10.0.0.1") == 404
    outcome = Trial(IpAccess, {"deny": "10.0.0.0/8", "abort": True}).run(request(client="10.0.0.1"))
    assert outcome.stopped
    behind = request(client="10.0.0.1")
    behind.source = "192.0.2.1"
    assert Trial(IpAccess, {"deny": "10.0.0.0/8"}).run(behind).response.status == 200
    assert Trial(IpAccess, {"deny": "10.0.0.0/8", "by": "peer"}).run(behind).response.status == 403


async def test_dry_run_counts_and_logs() -> None:
    async with Trial(IpAccess, {"allow": "10.0.0.0/8", "dry_run": True}) as trial:
        outcome = await trial.exchange()
        assert outcome.response.status == 200
        assert outcome.messages[0]["address"] == "192.0.2.1"
        assert trial.counters == {"denied": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "there is no rule; write allow, deny or rules"),
        ({"allow": ["10.0.0.0/8"], "rules": [{"deny": "all"}]}, "write either rules, or allow and deny"),
        ({"rules": [{"allow": "all", "deny": "all"}]}, "either allow or deny"),
        ({"rules": [{"deny": ["10.0.0.0/8", "x"]}]}, r"rules.0.deny.1: 'x' is not a network"),
        ({"allow": "10.0.0.0/40"}, "allow.0: .*allowed: 0 to 32"),
    ],
)
def test_wrong_options_are_named(options: Any, message: str) -> None:
    with pytest.raises(OptionErrors, match=message):
        Trial(IpAccess, options)


async def test_list_in_a_file_is_read_again_and_a_bad_one_is_not_taken(tmp_path: Path) -> None:
    listed = tmp_path / "blocked.txt"
    listed.write_text("192.0.2.0/25\n")
    options = {"deny": [{"file": "blocked.txt"}, "198.51.100.1"]}
    async with Trial(IpAccess, options, folder=tmp_path) as trial:
        assert (await trial.exchange()).response.status == 403
        assert (await trial.exchange(request(client="198.51.100.1"))).response.status == 403
        listed.write_text("# nobody\n")
        await trial.pass_time(1)
        assert (await trial.exchange()).response.status == 200
        listed.write_text("192.0.2.0/24\nbroken\n")
        await trial.pass_time(1)
        assert (await trial.exchange()).response.status == 200
        assert "blocked.txt: line 2: 'broken' is not a network" in str(trial.messages[0]["detail"])
        assert trial.gauges == {"ranges": 0}


async def test_missing_file_and_bad_line_refuse_the_start(tmp_path: Path) -> None:
    for content, message in ((None, "No such file"), (b"x\n", "line 1"), (b"\xff", "not UTF-8")):
        if content is not None:
            (tmp_path / "list").write_bytes(content)
        with pytest.raises(PluginStartFailed, match=message):
            async with Trial(IpAccess, {"deny": {"file": "list"}}, folder=tmp_path):
                pass
