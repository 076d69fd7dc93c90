"""`adc lab sessions`: its scenarios, what it refuses, and one run with real nodes and packets."""

import json

import pytest
from typer.testing import CliRunner

from adc.cli.app import app
from adc.cli.lab import idle, topology
from adc.cli.lab.verb import NAMES, scenarios
from tests.kit import netns


def invoke(*arguments):
    return CliRunner().invoke(app, ["lab", "sessions", *arguments])


def test_help_names_all_scenarios():
    assert tuple(scenarios()) == NAMES


def test_unknown_scenario_is_refused():
    result = invoke("nothing", "everything")
    assert result.exit_code == 2
    assert 'unknown scenario "everything"; use nothing, equal' in result.output


def test_needs_root(monkeypatch):
    monkeypatch.setattr(topology.os, "geteuid", lambda: 1000)
    result = invoke("nothing")
    assert (result.exit_code, result.output) == (1, "adc lab: network namespaces need root\n")


@netns.required
@pytest.mark.parametrize("option", ["--html", "--svg"])
def test_output_in_no_folder_is_refused_before_the_run(option, tmp_path):
    result = invoke("nothing", option, str(tmp_path / "absent" / "lab"))
    assert (result.exit_code, result.output) == (2, f"adc lab: {tmp_path / 'absent'} is no folder\n")


def test_scenario_whose_program_is_missing_is_skipped_with_its_name(monkeypatch):
    if topology.why_not():
        pytest.skip(topology.why_not())
    monkeypatch.setattr("adc.cli.lab.verb.shutil.which", lambda name: "ip" if name == "ip" else None)
    result = invoke("asymmetric-redirect")
    assert result.exit_code == 1
    assert "skipped: not installed: redis-server" in result.output


@netns.required
def test_devices_that_know_nothing_of_each_other_misdeliver(tmp_path):
    page, drawings = tmp_path / "lab.html", tmp_path / "drawings"
    result = invoke("asymmetric-nothing", "--json", "--html", str(page), "--svg", str(drawings))
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)
    assert found["facts"]["lost"] == "0"
    assert int(found["facts"]["misdelivered"]) > 0
    ways = {(event["from"], event["to"]) for event in found["timeline"]}
    assert {("client", "a"), ("client", "b"), ("a", "client"), ("b", "client")} <= ways
    drawing = (drawings / "asymmetric-nothing.svg").read_text().strip()
    assert drawing in page.read_text()


@netns.required
def test_notified_ends_get_a_reset_at_expiry(monkeypatch):
    monkeypatch.setattr(idle, "PAUSE", 1.5)
    result = invoke("notify", "--json")
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)
    assert found["facts"]["connections of the member"] == "1 reset, 1 open"
    assert found["facts"]["query after 1.5 s"].startswith("answered")
    resets = [(event["from"], event["to"]) for event in found["timeline"] if event["text"] == "RST"]
    assert sorted(resets) == [("adc", "client"), ("adc", "m1")]
    entries = [
        event["text"].partition(":")[0]
        for event in found["timeline"]
        if event["kind"] in ("opened", "closed")
    ]
    assert entries == ["new entry", "entry ends", "new entry"]
