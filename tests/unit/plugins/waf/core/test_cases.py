"""Every bundled rule finds what it is for, and lets pass what only looks like it."""

import pytest
from adc_plugins.waf.seclang.model import Rule
from adc_plugins.waf.seclang.parse import load

from tests.kit.waf_verdict import Engine
from tests.unit.plugins.waf.core.table import CASES, FILES, LEVEL_4, exchange

RULES = {item.id: item for item in load(FILES).items if isinstance(item, Rule) and item.last("severity")}


@pytest.fixture(scope="module")
def engine():
    return Engine(FILES, LEVEL_4)


@pytest.mark.parametrize("rule", CASES)
def test_rule_finds_what_it_is_for_and_passes_what_it_is_not_for(engine, rule):
    finds, passes = CASES[rule]
    missed = [case for case in finds if rule not in engine.judge(*exchange(case)).ids]
    wrong = [case for case in passes if rule in engine.judge(*exchange(case)).ids]
    assert (missed, wrong) == ([], [])


def test_every_rule_has_examples_of_both_kinds():
    assert set(CASES) == set(RULES)
    assert len(RULES) > 150
    assert all(finds and passes for finds, passes in CASES.values())


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_rule_scores_at_the_level_of_its_tag(rule):
    (level,) = (tag.rpartition("/")[2] for tag in rule.tags if tag.startswith("paranoia-level/"))
    way = "inbound" if rule.phase == 2 else "outbound"
    links = [rule]
    while links[-1].chain is not None:
        links.append(links[-1].chain)
    scores = [action.value for link in links for action in link.actions if action.name == "setvar"]
    severity = rule.last("severity").lower()
    assert scores == [f"tx.{way}_anomaly_score_pl{level}=+%{{tx.{severity}_anomaly_score}}"]


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_level_decides_which_rules_run(level):
    settings = f'SecAction "id:1,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level={level}"\n'
    engine = Engine(FILES, settings)
    for number, (finds, _) in CASES.items():
        rule = RULES[number]
        if number != 440112:  # needs a list of methods
            runs = f"paranoia-level/{level}" >= next(tag for tag in rule.tags if tag.startswith("paranoia"))
            assert (number in engine.judge(*exchange(finds[0])).ids) == runs, number
