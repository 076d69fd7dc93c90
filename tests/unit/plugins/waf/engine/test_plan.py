"""The plan comes to the results of evaluating every rule."""

import random
from copy import copy
from functools import cache

import pytest
from adc_plugins.waf.engine.compile import compile_rules
from adc_plugins.waf.engine.phases import PlainPhases
from adc_plugins.waf.engine.ruleset import Ruleset, read_data_file

from tests.kit import compiled_rules
from tests.kit.crs import (
    RUN_LIMITS,
    crs_case_files,
    crs_folder,
    crs_sources,
    read_cases,
    read_request,
    reflected,
)
from tests.kit.waf import facts, matched_ids, rules, run, run_wire

FOLDER = crs_folder()
EVERY = 12
"""One of so many regression tests is compared; all of them run in `test_crs.py`."""


def without_plan(ruleset):
    """Return the same rules, which are all evaluated, and none when they are loaded."""
    plain = copy(ruleset)
    plain._plan = PlainPhases(compile_rules(ruleset.program, read_data_file))
    plain._tx = {}
    return plain


def result(transaction):
    return [
        (match.rule_id, match.name, match.value, match.message, match.data, match.scores)
        for match in transaction.matches
    ], transaction.scores


@cache
def crs(level):
    ruleset = Ruleset.load(crs_sources(FOLDER, level, RUN_LIMITS), cache=compiled_rules.FOLDER)
    return ruleset, without_plan(ruleset)


def random_requests(count):
    """Return GET requests made of parts of attacks and of ordinary text."""
    parts = [
        "a",
        "1",
        "' or 1=1--",
        "%27",
        "../",
        "<script>",
        "+",
        "/*x*/",
        "\\x41",
        "&lt;",
        "SELECT",
        " ",
        "한",
        "%u0041",
    ]
    draw = random.Random(7)
    for _ in range(count):
        query = "&".join(f"{draw.choice('abc')}={''.join(draw.choices(parts, k=4))}" for _ in range(3))
        yield facts(target=f"/p/{draw.choice(parts)}?{query}".encode())


@pytest.mark.skipif(not FOLDER, reason="the OWASP CRS is absent; name its folder in ADC_CRS")
@pytest.mark.parametrize("level", [1, 4])
def test_plan_matches_what_all_rules_match(level):
    planned, plain = crs(level)
    cases = [case for file in crs_case_files(FOLDER) for case in read_cases(file)][level::EVERY]
    for case in cases:
        request = read_request(case.stages[0].request)
        response = reflected(request)
        assert result(run_wire(planned, request, response)) == result(run_wire(plain, request, response)), (
            case.name
        )
    for request in random_requests(60):
        assert result(run(planned, request)) == result(run(plain, request)), request.target


def both(text, request):
    ruleset = rules(text)
    found = run(ruleset, request)
    assert result(found) == result(run(without_plan(ruleset), request))
    return matched_ids(found)


def test_value_that_matches_only_when_it_is_transformed_is_found():
    text = 'SecRule ARGS "@rx evil" "id:1,phase:1,log,t:urlDecodeUni,t:lowercase"'
    assert both(text, facts(target=b"/?a=%2565VIL")) == [1]


def test_stage_of_multi_match_is_found():
    text = 'SecRule ARGS "@rx /\\*" "id:1,phase:1,log,t:urlDecodeUni,t:replaceComments,multiMatch"'
    assert both(text, facts(target=b"/?a=%252F*x*/")) == [1]


def test_rule_above_the_known_level_is_left_out():
    text = (
        'SecAction "id:1,phase:1,nolog,setvar:tx.level=1"\n'
        'SecRule TX:level "@lt 2" "id:2,phase:1,nolog,skipAfter:END"\n'
        'SecAction "id:3,phase:1,log"\nSecMarker END\nSecAction "id:4,phase:1,log"'
    )
    assert both(text, facts()) == [4]
    assert rules(text)._plan._alive[1] == 0b1000


def test_level_that_a_request_sets_decides_for_each_request():
    text = (
        'SecAction "id:1,phase:1,nolog,setvar:tx.level=1"\n'
        'SecRule REQUEST_HEADERS:X-Level "@rx ^(\\d)$" "id:5,phase:1,nolog,capture,setvar:tx.level=%{tx.1}"\n'
        'SecRule TX:level "@lt 2" "id:2,phase:1,nolog,skipAfter:END"\n'
        'SecAction "id:3,phase:1,log"\nSecMarker END\nSecAction "id:4,phase:1,log"'
    )
    assert both(text, facts()) == [4]
    assert both(text, facts(headers=((b"X-Level", b"3"),))) == [3, 4]


def test_variable_read_before_it_is_set_is_not_set_earlier():
    text = 'SecRule &TX:late "@eq 0" "id:1,phase:1,log"\nSecAction "id:2,phase:1,nolog,setvar:tx.late=1"'
    assert both(text, facts()) == [1]


def test_removed_skip_does_not_skip():
    text = (
        'SecRule ARGS:off "@streq 1" "id:1,phase:1,nolog,ctl:ruleRemoveById=2"\n'
        'SecAction "id:2,phase:1,nolog,skipAfter:END"\nSecAction "id:3,phase:1,log"\nSecMarker END'
    )
    assert both(text, facts(target=b"/?off=1")) == [3]
    assert both(text, facts()) == []


def test_body_processor_chosen_within_the_phase_is_seen_by_later_rules():
    text = (
        'SecAction "id:1,phase:1,nolog,ctl:requestBodyProcessor=JSON"\n'
        'SecRule REQBODY_PROCESSOR "@rx JSON" "id:2,phase:1,log"'
    )
    assert both(text, facts()) == [2]


@pytest.mark.parametrize(("headers", "ids"), [((), [1]), (((b"x-a", b"1"),), [2])])
def test_absent_and_present_headers_are_counted(headers, ids):
    text = (
        'SecRule &REQUEST_HEADERS:X-A "@eq 0" "id:1,phase:1,log"\n'
        'SecRule &REQUEST_HEADERS:X-A "@gt 0" "id:2,phase:1,log"'
    )
    assert both(text, facts(headers=headers)) == ids
