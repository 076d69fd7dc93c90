"""Files that the option `rules` names, and options as directives."""

from __future__ import annotations

from pathlib import Path

import pytest
from adc_plugins.waf.directives import FILE, with_options
from adc_plugins.waf.options import WafOptions
from adc_plugins.waf.rule_files import read_rules

from adc.plugin import OptionErrors


def _names(folder: Path, rules: list[str]) -> list[str]:
    setup, others = read_rules([str(folder / each) for each in rules])
    return [Path(name).relative_to(folder).as_posix() for name, _ in (*setup[1:], *others)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "crs/crs-setup.conf.example",
        "crs/rules/B.conf",
        "crs/rules/A.conf",
        "crs/rules/words.data",
        "crs/plugins/x-after.conf",
        "crs/plugins/x-before.conf",
        "crs/plugins/x-config.conf",
        "own/b.conf",
        "own/a.conf",
        "empty/readme.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    return tmp_path


def test_folder_of_the_crs_is_read_in_its_order(folder: Path) -> None:
    assert _names(folder, ["own", "crs"]) == [
        "crs/crs-setup.conf.example",
        "own/a.conf",
        "own/b.conf",
        "crs/plugins/x-config.conf",
        "crs/plugins/x-before.conf",
        "crs/rules/A.conf",
        "crs/rules/B.conf",
        "crs/plugins/x-after.conf",
    ]


def test_own_setup_replaces_the_example(folder: Path) -> None:
    (folder / "crs/crs-setup.conf").write_text("")
    assert _names(folder, ["crs"])[0] == "crs/crs-setup.conf"


def test_pattern_names_files(folder: Path) -> None:
    assert _names(folder, ["own/*.conf", "crs/rules/B.conf"]) == [
        "own/a.conf",
        "own/b.conf",
        "crs/rules/B.conf",
    ]


def test_bundled_rules_are_named_core() -> None:
    setup, others = read_rules(["core"])
    assert [Path(name).name for name, _ in setup] == ["defaults.conf"]
    assert others


def test_every_missing_file_is_an_error_at_its_place(folder: Path) -> None:
    with pytest.raises(OptionErrors) as caught:
        read_rules(["core", str(folder / "none.conf"), str(folder / "empty"), str(folder / "x*.conf")])
    assert [key for key, _ in caught.value.findings] == [("rules", 1), ("rules", 2), ("rules", 3)]


def test_levels_follow_the_setup_and_sizes_follow_everything() -> None:
    options = WafOptions(
        paranoia=2, anomaly_threshold=7, request_body_limit=9, request_body_limit_action="pass"
    )
    found = with_options(options, [("setup", "")], [("rules", "")])
    assert [name for name, _ in found] == ["setup", FILE, "rules", FILE]
    assert "setvar:tx.blocking_paranoia_level=2" in found[1][1]
    assert "setvar:tx.inbound_anomaly_score_threshold=7" in found[1][1]
    assert found[3][1].splitlines() == [
        "SecRequestBodyLimit 9",
        "SecRequestBodyNoFilesLimit 9",
        "SecRequestBodyLimitAction ProcessPartial",
    ]


def test_options_that_are_not_given_leave_it_to_the_rules() -> None:
    found = with_options(WafOptions(), [("setup", "")], [("rules", "")])
    assert [name for name, _ in found] == ["setup", "rules"]
