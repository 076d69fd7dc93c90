"""Bounds of what a transaction keeps."""

from adc_plugins.waf.engine import EngineLimits

from tests.kit.waf import facts, rules, run


def limited(text, request=None, **limits):
    return run(rules(text, limits=EngineLimits(**limits)), request)


def test_matches_beyond_the_limit_are_not_recorded_and_still_score():
    text = (
        'SecRule ARGS "@rx ." "id:1,phase:1,log,setvar:tx.inbound_anomaly_score_pl1=+1"\n'
        'SecRule TX:inbound_anomaly_score_pl1 "@ge 3" "id:2,phase:1,deny"'
    )
    transaction = limited(text, facts(target=b"/?a=1&b=2&c=3"), matches=2)
    assert len(transaction.matches) == 2
    assert transaction.intervention is not None
    assert transaction.reached == {"matches"}


def test_variables_beyond_the_limit_are_not_set():
    text = (
        'SecRule ARGS "@rx ." "id:1,phase:1,nolog,setvar:tx.v_%{MATCHED_VAR}=1"\n'
        'SecRule &TX "@eq 2" "id:2,phase:1,log"'
    )
    transaction = limited(text, facts(target=b"/?a=1&b=2&c=3"), variables=2)
    assert [match.rule_id for match in transaction.matches] == [2]
    assert transaction.reached == {"variables"}


def test_long_capture_is_cut():
    text = 'SecRule ARGS "@rx a+" "id:1,phase:1,log,capture,logdata:\'%{TX.0}\'"'
    transaction = limited(text, facts(target=b"/?q=" + b"a" * 50), variable_bytes=10)
    assert transaction.matches[0].data == b"a" * 10
    assert transaction.reached == {"variable_bytes"}


def test_expanded_message_and_value_are_cut():
    text = 'SecRule ARGS "@rx a" "id:1,phase:1,log,msg:\'%{MATCHED_VAR}\'"'
    match = limited(text, facts(target=b"/?q=" + b"a" * 50), text_bytes=10).matches[0]
    assert (match.message, match.value) == (b"a" * 10, b"a" * 10)
