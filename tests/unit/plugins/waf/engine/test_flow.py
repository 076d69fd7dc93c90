"""Order of rules, and what ends it: skips, allow, interventions, detection only."""

from tests.kit.crs import Response
from tests.kit.waf import facts, matched_ids, rules, run

LOGGED = 'SecAction "id:{},phase:{},log,pass"\n'


def logged(*numbers, phase=1):
    return "".join(LOGGED.format(number, phase) for number in numbers)


def test_phases_run_in_their_order_whatever_the_order_of_the_file():
    text = "".join(LOGGED.format(number, phase) for number, phase in [(5, 5), (2, 2), (4, 4), (1, 1), (3, 3)])
    assert matched_ids(run(rules(text))) == [1, 2, 3, 4, 5]


def test_skip_leaves_out_rules_of_the_same_phase():
    text = 'SecAction "id:1,phase:1,nolog,skip:1"\n' + logged(2) + logged(3, phase=2) + logged(4)
    assert matched_ids(run(rules(text))) == [4, 3]


def test_skip_after_goes_on_behind_the_marker():
    text = (
        'SecAction "id:1,phase:1,nolog,skipAfter:END"\n'
        + logged(2)
        + logged(3, phase=2)
        + "SecMarker END\n"
        + logged(4)
    )
    assert matched_ids(run(rules(text))) == [4, 3]


def test_skip_after_an_unknown_marker_ends_the_phase():
    text = 'SecAction "id:1,phase:1,nolog,skipAfter:NOWHERE"\n' + logged(2) + logged(3, phase=2)
    assert matched_ids(run(rules(text))) == [3]


def test_deny_ends_all_phases_but_logging():
    ruleset = rules(
        'SecAction "id:1,phase:1,deny,log"\n' + logged(2) + logged(3, phase=2) + logged(4, phase=5)
    )
    transaction = run(ruleset)
    assert matched_ids(transaction) == [1, 4]
    assert (transaction.intervention.status, transaction.intervention.action) == (403, "deny")


def test_redirect_expands_its_location():
    ruleset = rules('SecAction "id:1,phase:1,redirect:https://%{request_headers.host}/no"')
    intervention = run(ruleset).intervention
    assert (intervention.status, intervention.location) == (302, b"https://shop.example/no")


def test_drop_is_an_intervention():
    assert run(rules('SecAction "id:1,phase:1,drop"')).intervention.action == "drop"


def test_detection_only_goes_on_and_keeps_the_first_intervention():
    ruleset = rules('SecRuleEngine DetectionOnly\nSecAction "id:1,phase:1,deny,log,status:418"\n' + logged(2))
    transaction = run(ruleset)
    assert matched_ids(transaction) == [1, 2]
    assert transaction.intervention is None
    assert transaction.detected.status == 418


def test_option_replaces_the_engine_that_the_rules_say():
    transaction = run(rules('SecRuleEngine On\nSecAction "id:1,phase:1,deny,log"', engine="detect"))
    assert transaction.intervention is None
    assert transaction.detected


def test_engine_off_runs_nothing():
    assert matched_ids(run(rules("SecRuleEngine Off\n" + logged(1) + logged(2, phase=5)))) == []


def test_allow_ends_all_phases_but_logging():
    text = 'SecAction "id:1,phase:1,allow,nolog"\n' + logged(2) + logged(3, phase=2) + logged(4, phase=5)
    assert matched_ids(run(rules(text))) == [4]


def test_allow_phase_ends_the_phase():
    text = 'SecAction "id:1,phase:1,allow:phase,nolog"\n' + logged(2) + logged(3, phase=2)
    assert matched_ids(run(rules(text))) == [3]


def test_allow_request_ends_the_phases_of_the_request():
    text = (
        'SecAction "id:1,phase:1,allow:request,nolog"\n' + logged(2) + logged(3, phase=2) + logged(4, phase=3)
    )
    assert matched_ids(run(rules(text))) == [4]


def test_response_rules_see_status_and_headers():
    ruleset = rules(
        'SecRule RESPONSE_STATUS "@streq 500" "id:1,phase:3,log"\n'
        'SecRule RESPONSE_HEADERS:X-Powered-By "@rx ." "id:2,phase:3,log"'
    )
    response = Response(500, ((b"X-Powered-By", b"PHP"),), b"")
    assert matched_ids(run(ruleset, response=response)) == [1, 2]


def test_body_beyond_the_limit_is_rejected_or_inspected_in_part():
    text = 'SecRequestBodyLimitAction {}\nSecRule REQUEST_BODY "@contains x" "id:1,phase:2,log"'
    request = facts(method=b"POST", headers=((b"Content-Type", b"application/x-www-form-urlencoded"),))
    rejected = rules(text.format("Reject")).transaction(request)
    assert rejected.request_body(b"a=x", True).status == 413
    partial = rules(text.format("ProcessPartial")).transaction(request)
    assert partial.request_body(b"a=x", True) is None
    assert matched_ids(partial) == [1]
