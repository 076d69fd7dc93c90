"""Rules, one by one: what matches, and what a match changes."""

import pytest

from tests.kit.waf import facts, matched_ids, rules, run


def request(query=b"", **options):
    return facts(target=b"/?" + query, **options)


def test_rule_matches_each_value_and_scores_each():
    ruleset = rules('SecRule ARGS "@rx ^a" "id:1,phase:1,log,setvar:tx.anomaly_score=+5"')
    transaction = run(ruleset, request(b"p=a1&q=b&r=a2"))
    assert [(match.name, match.value, match.scores) for match in transaction.matches] == [
        ("ARGS:p", b"a1", (("anomaly_score", 5),)),
        ("ARGS:r", b"a2", (("anomaly_score", 5),)),
    ]


def test_key_selects_in_any_letter_case():
    ruleset = rules('SecRule ARGS:Page "@streq x" "id:1,phase:1,log"')
    assert matched_ids(run(ruleset, request(b"page=x"))) == [1]
    assert matched_ids(run(ruleset, request(b"pages=x"))) == []


def test_pattern_selects_keys():
    ruleset = rules('SecRule ARGS:/^id_/ "@rx ." "id:1,phase:1,log"')
    assert [match.name for match in run(ruleset, request(b"id_a=1&b=2&ID_c=3")).matches] == [
        "ARGS:id_a",
        "ARGS:ID_c",
    ]


def test_excluded_keys_are_not_looked_at():
    ruleset = rules('SecRule ARGS|!ARGS:token|!ARGS:/^x/ "@rx ." "id:1,phase:1,log"')
    assert [match.name for match in run(ruleset, request(b"token=1&b=2&xy=3")).matches] == ["ARGS:b"]


def test_count_is_the_number_of_values():
    ruleset = rules('SecRule &ARGS:a "@eq 2" "id:1,phase:1,log"\nSecRule &ARGS "@eq 0" "id:2,phase:1,log"')
    assert matched_ids(run(ruleset, request(b"a=1&a=2&b=3"))) == [1]
    assert matched_ids(run(ruleset, request())) == [2]


def test_negated_operator_matches_what_it_does_not():
    ruleset = rules('SecRule ARGS "!@rx ^\\d+$" "id:1,phase:1,log"')
    assert [match.name for match in run(ruleset, request(b"a=1&b=x")).matches] == ["ARGS:b"]


def test_transformations_run_in_their_order():
    ruleset = rules('SecRule ARGS "@streq <b>" "id:1,phase:1,log,t:urlDecode,t:lowercase"')
    assert matched_ids(run(ruleset, request(b"a=%253CB%253e"))) == [1]


def test_multi_match_looks_at_each_stage():
    ruleset = rules('SecRule ARGS "@rx ^(?:A|a)$" "id:1,phase:1,log,t:lowercase,multiMatch"')
    assert [match.value for match in run(ruleset, request(b"x=A")).matches] == [b"A", b"a"]


def test_chain_matches_only_as_a_whole():
    ruleset = rules('SecRule ARGS:a "@streq 1" "id:1,phase:1,log,chain"\n  SecRule ARGS:b "@streq 2"')
    assert matched_ids(run(ruleset, request(b"a=1&b=2"))) == [1]
    assert matched_ids(run(ruleset, request(b"a=1&b=3"))) == []


def test_link_of_a_chain_sets_variables_even_if_the_chain_does_not_match():
    ruleset = rules(
        'SecRule ARGS:a "@streq 1" "id:1,phase:1,pass,chain,setvar:tx.seen=1"\n'
        '  SecRule ARGS:b "@streq 2"\n'
        'SecRule TX:seen "@eq 1" "id:2,phase:1,log"'
    )
    assert matched_ids(run(ruleset, request(b"a=1"))) == [2]


def test_disruptive_action_is_that_of_the_first_rule_of_a_chain():
    ruleset = rules(
        'SecRule ARGS:a "@streq 1" "id:1,phase:1,deny,status:418,chain"\n  SecRule ARGS:b "@streq 2"'
    )
    intervention = run(ruleset, request(b"a=1&b=2")).intervention
    assert (intervention.status, intervention.action, intervention.match.name) == (418, "deny", "ARGS:b")


def test_captures_are_variables_and_are_replaced_by_the_next_capture():
    ruleset = rules(
        'SecRule ARGS:a "@rx (.)(.)" "id:1,phase:1,pass,capture,log,logdata:\'%{TX.0} %{tx.1} %{tx.2}\'"\n'
        'SecRule ARGS:b "@rx (.)" "id:2,phase:1,pass,capture,log,logdata:\'%{TX.0} %{tx.1} %{tx.2}\'"'
    )
    assert [match.data for match in run(ruleset, request(b"a=xy&b=z")).matches] == [b"xy x y", b"z z "]


def test_macros_name_what_matched():
    ruleset = rules(
        'SecRule ARGS "@rx ." "id:7,phase:1,log,severity:ERROR,'
        "msg:'%{rule.id} %{MATCHED_VAR_NAME}=%{MATCHED_VAR}',logdata:'%{request_headers.host} %{tx.none}.'\""
    )
    match = run(ruleset, request(b"q=1")).matches[0]
    assert (match.message, match.data, match.severity) == (b"7 ARGS:q=1", b"shop.example .", 3)


def test_chain_looks_at_the_variables_that_matched_before():
    ruleset = rules(
        'SecRule ARGS "@rx ^a" "id:1,phase:1,log,chain"\n  SecRule MATCHED_VARS "@rx b$" "setvar:tx.hits=+1"\n'
        'SecRule TX:hits "@eq 2" "id:2,phase:1,log"'
    )
    transaction = run(ruleset, request(b"p=ab&q=ac&r=axb&s=b"))
    assert matched_ids(transaction) == [1, 2]
    assert transaction.matches[0].name == "ARGS:r"


def test_setvar_sets_adds_subtracts_and_removes():
    ruleset = rules(
        'SecAction "id:1,phase:1,nolog,setvar:tx.a=3,setvar:tx.a=+%{tx.a},setvar:tx.b=-2,setvar:tx.c=x,setvar:!tx.c,'
        'setvar:tx.d_%{tx.a}=1,setvar:tx.e"\n'
        "SecAction \"id:2,phase:1,log,msg:'%{tx.a} %{tx.b} %{tx.d_6} %{tx.e}'\"\n"
        'SecRule &TX:c "@eq 0" "id:3,phase:1,log"'
    )
    transaction = run(ruleset)
    assert [match.message for match in transaction.matches] == [b"6 -2 1 1", b""]


def test_operator_argument_may_have_macros():
    ruleset = rules(
        'SecAction "id:1,phase:1,nolog,setvar:tx.limit=3"\nSecRule ARGS "@gt %{tx.limit}" "id:2,phase:1,log"'
    )
    assert [match.name for match in run(ruleset, request(b"a=3&b=4")).matches] == ["ARGS:b"]


def test_nolog_is_not_recorded_and_noauditlog_says_so():
    ruleset = rules(
        'SecAction "id:1,phase:1,nolog"\nSecAction "id:2,phase:1,log,noauditlog"\nSecAction "id:3,phase:1,log"'
    )
    assert [(match.rule_id, match.audit) for match in run(ruleset).matches] == [(2, False), (3, True)]


def test_highest_severity_is_the_lowest_number_so_far():
    ruleset = rules(
        'SecAction "id:1,phase:1,log,severity:WARNING"\nSecAction "id:2,phase:1,log,severity:CRITICAL"\n'
        'SecAction "id:3,phase:1,log,severity:NOTICE"\nSecRule HIGHEST_SEVERITY "@eq 2" "id:4,phase:1,log"'
    )
    assert matched_ids(run(ruleset)) == [1, 2, 3, 4]


def test_invalid_expression_names_file_and_line():
    with pytest.raises(ValueError, match=r"^test\.conf:2: "):
        rules('\nSecRule ARGS "@validateByteRange x" "id:1,phase:1,log"')


def test_capture_removes_numbers_that_a_rule_set_by_name():
    ruleset = rules(
        'SecRule ARGS:a "@rx x" "id:1,phase:1,pass,nolog,capture,setvar:tx.5=old"\n'
        'SecRule ARGS:a "@rx x" "id:2,phase:1,pass,nolog,capture"\nSecRule &TX:5 "@eq 0" "id:3,phase:1,log"'
    )
    assert matched_ids(run(ruleset, request(b"a=x"))) == [3]
