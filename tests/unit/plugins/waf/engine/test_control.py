"""The action `ctl`."""

import pytest

from tests.kit.waf import facts, matched_ids, rules, run

RULES = (
    'SecRule ARGS "@rx ." "id:10,phase:1,log,tag:attack-xss,msg:\'Cross-site\'"\n'
    'SecRule ARGS "@rx ." "id:20,phase:1,log,tag:attack-sqli,msg:\'Injection\'"\n'
)
REQUEST = facts(target=b"/?a=1&b=2")


def controlled(control):
    return run(rules(f'SecAction "id:1,phase:1,nolog,ctl:{control}"\n{RULES}'), REQUEST)


@pytest.mark.parametrize(
    ("control", "left"),
    [
        ("ruleRemoveById=10", [20, 20]),
        ("ruleRemoveById=5-15", [20, 20]),
        ("ruleRemoveByTag=xss$", [20, 20]),
        ("ruleRemoveByMsg=^Inj", [10, 10]),
        ("ruleEngine=Off", []),
    ],
)
def test_rules_are_removed_for_the_transaction(control, left):
    assert matched_ids(controlled(control)) == left


@pytest.mark.parametrize(
    "control",
    [
        "ruleRemoveTargetById=10-20;ARGS:a",
        "ruleRemoveTargetByTag=attack;ARGS:/^A/",
        "ruleRemoveTargetByMsg=.;ARGS:a",
    ],
)
def test_targets_are_removed_for_the_transaction(control):
    assert [match.name for match in controlled(control).matches] == ["ARGS:b", "ARGS:b"]


def test_removal_of_one_transaction_leaves_the_next_alone():
    ruleset = rules(f'SecRule ARGS:a "@streq off" "id:1,phase:1,nolog,ctl:ruleRemoveById=10"\n{RULES}')
    assert matched_ids(run(ruleset, facts(target=b"/?a=off"))) == [20]
    assert matched_ids(run(ruleset, facts(target=b"/?a=on"))) == [10, 20]


def test_target_excluded_from_a_chain_is_excluded_from_all_its_rules():
    ruleset = rules(
        'SecAction "id:1,phase:1,nolog,ctl:ruleRemoveTargetById=2;ARGS:a"\n'
        'SecRule REQUEST_METHOD "@streq GET" "id:2,phase:1,log,chain"\n  SecRule ARGS "@rx ."'
    )
    assert matched_ids(run(ruleset, facts(target=b"/?a=1"))) == []
    assert matched_ids(run(ruleset, facts(target=b"/?b=1"))) == [2]


def test_detection_only_can_be_chosen_for_a_transaction():
    ruleset = rules(
        'SecAction "id:1,phase:1,nolog,ctl:ruleEngine=DetectionOnly"\nSecAction "id:2,phase:1,deny"'
    )
    transaction = run(ruleset)
    assert transaction.engine == "detect"
    assert transaction.intervention is None


def test_body_processor_is_chosen_by_a_rule():
    ruleset = rules(
        'SecAction "id:1,phase:1,nolog,ctl:requestBodyProcessor=JSON"\n'
        'SecRule ARGS:json.a "@streq x" "id:2,phase:2,log"'
    )
    assert matched_ids(run(ruleset, facts(method=b"POST"), b'{"a": "x"}')) == [2]


def test_body_access_and_limit_are_chosen_by_a_rule():
    ruleset = rules('SecAction "id:1,phase:1,nolog,ctl:requestBodyAccess=Off,ctl:requestBodyLimit=10"')
    transaction = ruleset.transaction(facts())
    assert transaction.wants_request_body
    transaction.request_head()
    assert not transaction.wants_request_body
    assert transaction.request_body_limit == 10


def test_audit_engine_is_kept_for_the_audit_log():
    transaction = run(rules('SecAction "id:1,phase:1,nolog,ctl:auditEngine=Off"'))
    assert transaction.audit_engine == "off"
