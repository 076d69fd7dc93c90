"""The bundled rules are SecLang that ModSecurity loads, and mean the same there."""

import pytest

from tests.kit import modsecurity
from tests.unit.plugins.waf.core.table import CASES, FILES, LEVEL_4, exchange

pytestmark = pytest.mark.skipif(not modsecurity.available(), reason="libmodsecurity is not installed")


@pytest.fixture(scope="module")
def oracle():
    return modsecurity.Oracle(FILES, LEVEL_4)


@pytest.mark.parametrize("rule", CASES)
def test_modsecurity_finds_what_a_rule_is_for_and_passes_what_it_is_not_for(oracle, rule):
    finds, passes = CASES[rule]
    missed = [case for case in finds if rule not in oracle.judge(*exchange(case)).ids]
    wrong = [case for case in passes if rule in oracle.judge(*exchange(case)).ids]
    assert (missed, wrong) == ([], [])
