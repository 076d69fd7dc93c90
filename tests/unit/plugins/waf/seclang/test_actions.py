from __future__ import annotations

import pytest
from adc_plugins.waf.seclang.actions import parse_actions, severity_number
from adc_plugins.waf.seclang.model import Action, Place, SecLangError
from hypothesis import given
from hypothesis import strategies as st

PLACE = Place("f.conf", 3)


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("id:1,deny", [Action("id", "1"), Action("deny")]),
        (" ID:1 , Deny ", [Action("id", "1"), Action("deny")]),
        ("msg:'a, b',log", [Action("msg", "a, b"), Action("log")]),
        (r"msg:'it\'s'", [Action("msg", "it's")]),
        ("msg:it's fine,log", [Action("msg", "it's fine"), Action("log")]),
        (r"msg:'a\d'", [Action("msg", r"a\d")]),
        ("setvar:'tx.a=+%{tx.b}'", [Action("setvar", "tx.a=+%{tx.b}")]),
        ("setvar:!tx.a", [Action("setvar", "!tx.a")]),
        ("setvar:tx.a", [Action("setvar", "tx.a")]),
        ("ctl:ruleRemoveTargetById=1;ARGS:a", [Action("ctl", "ruleRemoveTargetById=1;ARGS:a")]),
        ("ctl:ruleRemoveById=1-5", [Action("ctl", "ruleRemoveById=1-5")]),
        ("allow:phase", [Action("allow", "phase")]),
        ("sanitizeArg:password", [Action("sanitisearg", "password")]),
        ("redirect:http://a.example/?b=c:d", [Action("redirect", "http://a.example/?b=c:d")]),
        (
            "expirevar:ip.a=60,initcol:ip=%{REMOTE_ADDR}",
            [Action("expirevar", "ip.a=60"), Action("initcol", "ip=%{REMOTE_ADDR}")],
        ),
        ("severity:'CRITICAL',severity:2", [Action("severity", "CRITICAL"), Action("severity", "2")]),
    ],
)
def test_actions_are_read(text: str, actions: list[Action]) -> None:
    assert list(parse_actions(text, PLACE)) == actions


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("denny", 'unknown action "denny"; did you mean "deny"?'),
        ("id:abc", "not a positive number"),
        ("id:0", "not a positive number"),
        ("id:1,,deny", "an action is missing"),
        ("id:1,", "an action is missing"),
        ("", "an action is missing"),
        ("id", "needs a value"),
        ("msg:''", "needs a value"),
        ("deny:403", "takes no value"),
        ("phase:6", 'unknown phase "6"'),
        ("t:lowercas", 'unknown transformation "lowercas"; did you mean "lowercase"?'),
        ("severity:FATAL", "unknown severity"),
        ("status:x", "not a number"),
        ("allow:all", "unknown scope"),
        ("skip:x", "number of rules"),
        ("maturity:10", "from 0 to 9"),
        ("setvar:a", "setvar needs"),
        ("setvar:args.a=1", "unknown collection"),
        ("expirevar:ip.a", "expirevar needs"),
        ("initcol:tx=a", "unknown persistent collection"),
        ("exec:/bin/true", "may not start programs"),
        ("ctl:ruleEngin=On", 'did you mean "ruleengine"?'),
        ("ctl:ruleEngine", "needs a value"),
        ("ctl:ruleEngine=Maybe", "On, Off or DetectionOnly"),
        ("ctl:ruleRemoveById=a", "neither an id nor a range"),
        ("ctl:ruleRemoveById=5-1", "ends before it begins"),
        ("ctl:ruleRemoveTargetById=1", "a target is missing"),
        ("ctl:ruleRemoveTargetById=1;ARG:a", "unknown variable"),
        ("msg:'a", "not closed"),
        ("msg:'a' b", "text follows the quoted value"),
    ],
)
def test_wrong_action_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(SecLangError) as caught:
        parse_actions(text, PLACE)
    assert str(caught.value).startswith("f.conf:3: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("value", "number"), [("EMERGENCY", 0), ("critical", 2), ("DEBUG", 7), ("3", 3), ("8", None), ("x", None)]
)
def test_severity_is_a_name_or_a_number(value: str, number: int | None) -> None:
    assert severity_number(value) == number


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="\\"), min_size=1), min_size=1
    )
)
def test_quoted_values_round_trip(values: list[str]) -> None:
    text = ",".join("tag:'{}'".format(value.replace("'", "\\'")) for value in values)
    assert [action.value for action in parse_actions(text, PLACE)] == values
