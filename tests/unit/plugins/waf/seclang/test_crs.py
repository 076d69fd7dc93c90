"""The OWASP CRS loads unmodified."""

from __future__ import annotations

from pathlib import Path

import pytest
from adc_plugins.waf.seclang.model import Rule
from adc_plugins.waf.seclang.names import DISRUPTIVE
from adc_plugins.waf.seclang.parse import load

from tests.kit.crs import crs_folder

FOLDER = crs_folder()
FILES = [FOLDER / "crs-setup.conf.example", *sorted((FOLDER / "rules").glob("*.conf*"))] if FOLDER else []
pytestmark = pytest.mark.skipif(not FILES, reason="the folder of the OWASP CRS is absent; name it in ADC_CRS")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_file_loads_alone(file: Path) -> None:
    program = load([file])
    assert program.items or program.warnings or file.suffix == ".example"


def test_all_files_load_together() -> None:
    program = load(FILES)
    rules = [item for item in program.items if isinstance(item, Rule)]
    assert len(rules) > 600
    assert program.warnings == ()
    for rule in rules:
        assert sum(action.name in DISRUPTIVE - {"block"} for action in rule.actions) == 1
