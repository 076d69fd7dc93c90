"""Rules that options name: SecLang, exclusions and Python, through the plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from adc_plugins.waf.plugin import Waf

from adc.plugin.testkit import OptionErrors, PluginStartFailed, Trial, request

LOCAL = 'SecRule ARGS "@contains evil" "id:7,phase:1,deny,log"\n'
EXCLUSION = """
SecRule REQUEST_FILENAME "@streq /search" "id:445001,phase:1,pass,nolog,ctl:ruleRemoveTargetById=7;ARGS:q"
"""
PYTHON = """
from adc_plugins.waf import rule

@rule(id=100001, message="debug switch", score={score})
def debug(exchange):
    return {value}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "local.conf").write_text(LOCAL)
    python(tmp_path, 'exchange.argument("debug")')
    return tmp_path


def python(folder: Path, value: str, score: int = 5) -> None:
    (folder / "local.py").write_text(PYTHON.format(score=score, value=value))


async def status(folder: Path, target: str, **options: Any) -> int:
    async with Trial(Waf, options, folder=folder) as trial:
        return int((await trial.exchange(request(target=target))).response.status)


async def test_rule_in_python_alone_scores_and_blocks(folder: Path) -> None:
    assert await status(folder, "/?debug=1", rules=["local.py"]) == 403
    assert await status(folder, "/?page=1", rules=["local.py"]) == 200


async def test_rule_in_python_below_the_threshold_passes(folder: Path) -> None:
    python(folder, "True", score=4)
    assert await status(folder, "/", rules=["local.py"]) == 200
    assert await status(folder, "/", rules=["local.py"], anomaly_threshold=4) == 403


async def test_rule_in_python_scores_with_the_bundled_rules(folder: Path) -> None:
    assert await status(folder, "/?debug=1", rules=["core", "local.py"]) == 403


async def test_rule_that_raises_is_reported_and_does_not_match(folder: Path) -> None:
    python(folder, "1 / 0")
    async with Trial(Waf, {"rules": ["local.py"]}, folder=folder) as trial:
        assert (await trial.exchange(request(target="/?debug=1"))).response.status == 200
        (message,) = [each for each in trial.messages if "a rule failed" in str(each)]
        assert "ZeroDivisionError" in str(message)
        assert f"{folder / 'local.py'}:4: rule 100001" in str(message)


async def test_rule_that_loops_exceeds_the_budget(folder: Path) -> None:
    python(folder, "[number for number in iter(int, 1)]")
    options = {"rules": ["local.py"], "budget": "50ms"}
    assert await status(folder, "/", **options) == 500
    assert await status(folder, "/", **options, on_error="fail_open") == 200


async def test_exclusions_hold_for_rules_of_every_phase(folder: Path) -> None:
    options = {"rules": ["local.conf"], "exclusions": "exclusions.conf"}
    assert await status(folder, "/search?q=evil", **options) == 403
    (folder / "exclusions.conf").write_text(EXCLUSION)
    assert await status(folder, "/search?q=evil", **options) == 200
    assert await status(folder, "/search?r=evil", **options) == 403


async def test_pattern_names_files_in_python(folder: Path) -> None:
    assert await status(folder, "/?debug=1", rules=["core", "l*.py"]) == 403
    with pytest.raises(OptionErrors, match=r"rules\.0: .*x\*\.py: no such file"):
        Trial(Waf, {"rules": ["x*.py"]}, folder=folder)


async def test_rule_file_that_cannot_be_used_refuses_the_configuration(folder: Path) -> None:
    (folder / "local.py").write_text("\n1/0")
    with pytest.raises(PluginStartFailed, match=r"local.py:2: ZeroDivisionError"):
        await status(folder, "/", rules=["local.py"])


def test_missing_rule_file_is_an_error_of_its_option(folder: Path) -> None:
    with pytest.raises(OptionErrors, match=r"rules\.1: .*absent\.py: No such file"):
        Trial(Waf, {"rules": ["core", "absent.py"]}, folder=folder)


def test_detection_below_the_level_that_blocks_is_an_error(folder: Path) -> None:
    with pytest.raises(OptionErrors, match="detection_paranoia 1 is lower than paranoia 3"):
        Trial(Waf, {"rules": ["core"], "paranoia": 3, "detection_paranoia": 1}, folder=folder)


def test_rule_file_without_an_end_is_an_error_of_its_option(folder: Path) -> None:
    with pytest.raises(OptionErrors, match=r"rules\.0: /dev/zero: not a regular file"):
        Trial(Waf, {"rules": ["/dev/zero"]}, folder=folder)
