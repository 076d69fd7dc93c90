from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from adc_plugins.waf.tools.verbs import waf
from typer.testing import CliRunner

from adc.cli.app import app
from adc.cli.plugin_verbs import Host


def test_a_new_plugin_works_and_passes_its_test(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    assert CliRunner().invoke(app, ["plugins", "new", "add_greeting", "--folder", str(folder)]).exit_code == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    tested = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "3 passed" in tested.stdout, tested.stdout


def test_new_rule_passes_its_examples(tmp_path: Path) -> None:
    command = ["plugins", "new", "--rule", "debug_switch", "--folder", str(tmp_path)]
    written = CliRunner().invoke(app, command)
    file = tmp_path / "debug_switch.py"
    assert written.output.splitlines()[0] == str(file)
    checked = CliRunner().invoke(waf, ["test", str(file)], obj=Host())
    assert (checked.exit_code, checked.output.splitlines()[-1]) == (0, "4 of 4 checks passed"), checked.output
    assert CliRunner().invoke(app, command).exit_code == 1
    assert (
        CliRunner()
        .invoke(app, ["plugins", "new", "--rule", "debug_switch", "--folder", str(tmp_path)])
        .exit_code
        == 1
    )


def test_a_new_plugin_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "greet.py").write_text("mine")
    result = CliRunner().invoke(app, ["plugins", "new", "greet", "--folder", str(tmp_path)])
    assert (result.exit_code, (tmp_path / "greet.py").read_text()) == (1, "mine")


@pytest.mark.parametrize("name", ["Up", "a-b", "../a", "test_a", "1a", ""])
def test_a_name_that_no_configuration_could_use_is_refused(tmp_path: Path, name: str) -> None:
    assert CliRunner().invoke(app, ["plugins", "new", name, "--folder", str(tmp_path)]).exit_code == 2


def test_the_list_tells_phases_and_options() -> None:
    rows = json.loads(CliRunner().invoke(app, ["plugins", "list", "--json"]).stdout)
    (row,) = [row for row in rows if row["plugin"] == "security_headers"]
    assert row["phases"] == ["response_head"]
    assert "frame_options" in row["options"]


def test_check_tells_the_line_of_a_wrong_option(tmp_path: Path) -> None:
    config = tmp_path / "adc.yaml"
    config.write_text(
        "listeners: [{name: web, bind: 127.0.0.1:0}]\n"
        "admin: false\n"
        "routes:\n"
        "  - respond: {status: 200}\n"
        "    plugins:\n"
        "      - security_headers: {frame_option: DENY}\n"
    )
    result = CliRunner().invoke(app, ["check", str(config)])
    assert result.exit_code == 2
    assert "adc.yaml:6:" in result.output
    assert "did you mean frame_options?" in result.output
