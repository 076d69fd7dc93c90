"""Which form of a path goes to the member, and which requests are refused."""

import pytest

from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.target import split_target
from adc.routing.match import Match, Rule
from adc.routing.paths import any_case, path_rule
from adc.routing.router import Router
from adc.routing.settle import PathPolicy, settle
from adc.routing.values import Regex


def asked(target):
    path, query, plain = split_target(target)
    request = Request("GET", target, path, query, "a", "a", Headers())
    request.plain = plain
    return request


def router(*rules, normalize="match", guarded=True, prefix=""):
    """Routes by path, each with its own policy; a rule is a text or a rule of the router."""
    made = []
    for rule in rules:
        paths = [path_rule(rule) if isinstance(rule, str) else rule]
        policy = PathPolicy(str(paths[0]), normalize, guarded, prefix)
        made.append(Rule(Match(path=paths, as_sent=normalize == "off"), policy))
    return Router(made)


def settled(target, *rules, **policy):
    request = asked(target)
    before = request.path, request.target
    result = settle(request, router(*rules, **policy).find, lambda value: value)
    assert (request.path, request.target) == before
    return result


RAW = [
    "/a//b",
    "//lead",
    "/dot/./x",
    "/x/..",
    "/%41",
    "/web/http://x.org/",
    "/a%2fb",
    "/a;v=1",
    "/a%20",
    "/a.",
    "/?",
    "/%7e?x=//",
]


@pytest.mark.parametrize("target", RAW)
def test_the_member_receives_the_path_as_sent_where_all_readings_lead_to_one_route(target):
    assert settled(target, "/")[1:] == (target, "")


@pytest.mark.parametrize("target", RAW)
def test_send_gives_the_member_the_normal_form(target):
    request = asked(target)
    normal = settled(target, "/", normalize="send").target
    assert normal == request.path + target[target.find("?") :] * ("?" in target)


@pytest.mark.parametrize("target", ["/@scope%2fname", "/api/queues/%2f/x", "/api/queues/%2F", "/api/a;b=c/d"])
def test_an_encoded_slash_in_a_name_goes_on_as_it_is(target):
    assert settled(target, "/admin/", "/api/", "/")[1:] == (target, "")


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("//api/x", "/api/x"),
        ("/%61pi/x?q", "/api/x?q"),
        ("/x/../api/y", "/api/y"),
        ("/api/../x", "/x"),
        ("/x//../y", "/y"),
    ],
)
def test_the_normal_form_is_sent_where_the_path_as_sent_leads_elsewhere(target, sent):
    assert settled(target, "/api/", "/x/y", "/")[1:] == (sent, "")


@pytest.mark.parametrize(
    "target",
    [
        "/%2fadmin/",
        "/admin%2f",
        "/admin;x/",
        "/;/admin/",
        "/%5cadmin/",
        "/%2561dmin/",
        "/admin%20/",
        "/admin%0a/",
        "/admin./",
    ],
)
@pytest.mark.parametrize("normalize", ["match", "send", "off"])
def test_a_path_with_a_reading_on_another_route_is_refused(target, normalize):
    result = settled(target, "/admin/", "/", normalize=normalize)
    assert str(result.value.route) == "/*"
    assert "route /admin/* takes instead of /*" in result.refusal


def test_an_authority_is_not_sent_where_it_hides_a_denied_path():
    assert settled("//x/admin/", "/admin/", "/")[1:] == ("/x/admin/", "")
    assert settled("//x/y", "/admin/", "/")[1:] == ("//x/y", "")
    assert settled("/%2fx/admin/", "/admin/", "/").refusal
    assert settled("/p//x/admin/", "/p/admin/", "/p/", prefix="/p")[1:] == ("/p/x/admin/", "")


def test_a_path_that_may_leave_the_stripped_prefix_is_refused():
    assert "leads out of /p" in settled("/p/%252e%252e/x", "/", prefix="/p").refusal
    assert settled("//p/x", "/", prefix="/p")[1:] == ("/p/x", "")


def test_an_exception_lets_all_readings_pass():
    assert settled("/admin%2f", "/admin/", "/", guarded=False)[1:] == ("/admin%2f", "")
    assert settled("//admin/", "/admin/", "/", guarded=False)[1:] == ("/admin/", "")


def test_a_path_that_no_route_takes_is_not_refused():
    assert settled("/admin%20", "/admin")[0] is None


def test_a_reading_that_no_route_takes_is_refused():
    assert "no route takes" in settled("/api/x;/", Regex("^/api/x;/")).refusal


def test_off_compares_rules_with_the_path_as_sent():
    assert settled("/a//b", "/a/b", "/a//b", normalize="off").value is None
    assert settled("/x/../a", "/x/", "/a", normalize="off").value.route == "/x/*"


def test_too_many_readings_are_refused():
    assert "more ways than" in settled("/%" + "25" * 2000 + "41", "/x/", "/").refusal


@pytest.mark.parametrize("path", ["/ADMIN/", "/Admin/x", "/%41dMIN/", "/x/../ADMIN/"])
def test_a_rule_that_ignores_case_takes_every_spelling(path):
    taken = settled(path, any_case(path_rule("/admin/")), "/", guarded=False)
    assert taken.value.route == "/admin/* (any case)"


def test_case_is_folded_beyond_ascii():
    assert settled("/%C3%89t%C3%A9/", any_case(path_rule("/\xe9t\xc9/"))).value
    assert settled("/%E2%84%AAey", any_case(path_rule("/key"))).value
    assert settled("/adm%C4%B1n/", any_case(path_rule("/admin/"))).value
    assert settled("/V1/X", any_case(Regex("^/v[0-9]/x$"))).value
    assert not settled("/v1/y", any_case(Regex("^/v[0-9]/x$"))).value


def test_other_readings_meet_rules_that_ignore_case():
    assert settled("/ADMIN%2f", any_case(path_rule("/admin/")), "/").refusal
