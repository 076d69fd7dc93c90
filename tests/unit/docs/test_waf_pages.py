"""The rules of the page about rules pass their examples, and its SecLang is understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from adc_plugins.waf.seclang.parse import parse
from adc_plugins.waf.tools.testing import check_path

from adc.cli.plugin_verbs import Host

FOLDER = Path(__file__).parents[3] / "docs" / "howto"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [
    (kind, text)
    for page in ("write-a-waf-rule.md", "tune-the-waf.md")
    for kind, text in BLOCK.findall((FOLDER / page).read_text("utf-8"))
]


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "python"])
def test_python_rules_pass_their_examples(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.py"
    path.write_text(text)
    results = check_path(path, Host())
    assert len(results) > 1
    assert [result for result in results if result.failures] == []


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "apache"])
def test_seclang_is_understood(text: str) -> None:
    assert parse([("page.conf", text)]).items


def test_seclang_passes_the_test_beside_it(tmp_path: Path) -> None:
    rules = next(text for kind, text in BLOCKS if kind == "apache")
    tests = next(text for kind, text in BLOCKS if kind == "text" and text.startswith("tests:"))
    (tmp_path / "local.conf").write_text(rules)
    (tmp_path / "local.tests.yaml").write_text(tests)
    (result,) = check_path(tmp_path / "local.conf", Host())
    assert result.failures == ()
