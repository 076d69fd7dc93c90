"""Ordinary traffic passes; `python -m tests.attacks ordinary` judges 10,000 requests."""

import pytest

from tests.kit import modsecurity
from tests.kit.crs import crs_folder
from tests.kit.modsecurity import SETTINGS
from tests.kit.ordinary import traffic
from tests.kit.waf_verdict import Engine
from tests.unit.plugins.waf.core.table import FILES


def test_bundled_rules_block_no_ordinary_request():
    engine = Engine(FILES)
    assert [request for request in traffic(400) if engine.judge(request).blocked] == []


def test_traffic_is_the_same_on_every_run():
    assert list(traffic(50)) == list(traffic(50))
    assert list(traffic(50)) != list(traffic(50, seed=2))


@pytest.mark.skipif(crs_folder() is None, reason="the OWASP CRS is absent; ADC_CRS names its folder")
@pytest.mark.skipif(not modsecurity.available(), reason="libmodsecurity is not installed")
def test_crs_blocks_what_modsecurity_blocks():
    folder = crs_folder()
    files = [folder / "crs-setup.conf.example", *sorted((folder / "rules").glob("*.conf"))]
    engine, oracle = Engine(files, SETTINGS), modsecurity.Oracle(files)
    differing = [
        request for request in traffic(80) if engine.judge(request).blocked != oracle.judge(request).blocked
    ]
    assert differing == []
