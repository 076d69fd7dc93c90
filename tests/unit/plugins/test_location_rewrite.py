"""References and cookies are rewritten by the first rule that matches."""

import pytest
from adc_plugins.location_rewrite import LocationRewrite

from adc.plugin.testkit import OptionErrors, Trial, answer, request


def outcome(options, fields, **asked):
    return Trial(LocationRewrite, options).run(request(**asked), answer(302, headers=fields))


def test_first_rule_that_matches_applies():
    rules = [
        {"prefix": "http://intranet/keep/", "replace": "http://intranet/keep/"},
        {"prefix": "http://intranet/", "replace": "/app/"},
        {"regex": "^/app/", "replace": "/never/"},
    ]
    for value, seen in [
        ("http://intranet/keep/x", b"http://intranet/keep/x"),
        ("http://intranet/x", b"/app/x"),
        ("http://other/x", b"http://other/x"),
    ]:
        got = outcome({"locations": rules}, {"Location": value})
        assert got.response.headers.get(b"location") == seen


def test_regex_has_groups_and_the_clients_scheme_and_host():
    rule = {"regex": r"^https?://([a-z]+)\.corp(:\d+)?/", "replace": r"{scheme}://{host}/\1/"}
    fields = [("Refresh", "5; url=http://wiki.corp:80/a"), ("Link", "<https://hr.corp/b>; rel=next")]
    got = outcome({"locations": [rule]}, fields, host="www.example.com:8080")
    assert got.response.headers.get(b"refresh") == b"5; url=http://www.example.com:8080/wiki/a"
    assert got.response.headers.get(b"link") == b"<http://www.example.com:8080/hr/b>; rel=next"


def test_only_the_named_fields_are_rewritten():
    rule = {"prefix": "/a", "replace": "/b"}
    fields = {"Location": "/a", "Content-Location": "/a"}
    got = outcome({"locations": [rule], "fields": ["location"]}, fields)
    assert got.response.headers.get(b"location") == b"/b"
    assert got.response.headers.get(b"content-location") == b"/a"


def test_path_and_domain_of_every_cookie_are_rewritten():
    options = {
        "cookie_paths": [{"regex": "^/(.*)", "replace": r"/app/\1"}],
        "cookie_domains": [
            {"prefix": "intranet", "replace": ""},
            {"regex": r"corp$", "replace": "example.com"},
        ],
    }
    cookies = [("Set-Cookie", "a=1; Path=/; Domain=intranet"), ("Set-Cookie", "b=/; domain=x.corp; path=/y")]
    got = outcome(options, cookies)
    assert got.response.headers.get_all(b"set-cookie") == [
        b"a=1; Path=/app/",
        b"b=/; domain=x.example.com; path=/app/y",
    ]


@pytest.mark.parametrize(("method", "seen"), [("MOVE", b"/dav/x"), ("GET", b"/files/x")])
def test_destination_of_requests_that_copy_and_move_is_rewritten(method, seen):
    rule = {"prefix": "/files/", "replace": "/dav/"}
    asked = {"method": method, "headers": {"Destination": "/files/x"}}
    got = outcome({"destinations": [rule]}, {}, **asked)
    assert got.request.headers.get(b"destination") == seen


def test_value_with_too_many_matches_stays():
    value = "/" + "a" * 300
    got = outcome({"locations": [{"regex": "a", "replace": "b"}]}, {"Location": value})
    assert got.response.headers.get(b"location") == value.encode()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"replace": "/"}, "either prefix or regex"),
        ({"prefix": "/", "regex": "/", "replace": "/"}, "either prefix or regex"),
        ({"prefix": "", "replace": "/"}, "is empty"),
        ({"prefix": "/", "replace": "/\r\n"}, "printable"),
        ({"regex": "(?=a)", "replace": ""}, "lookahead"),
        ({"regex": "a", "replace": r"\1"}, "no group"),
    ],
)
def test_rule_that_cannot_work_is_refused_with_its_place(rule, message):
    with pytest.raises(OptionErrors, match=rf"locations\.0: .*{message}"):
        Trial(LocationRewrite, {"locations": [rule]})


def test_plugin_without_rules_is_refused():
    with pytest.raises(OptionErrors, match="there is no rule; write locations, cookie_paths"):
        Trial(LocationRewrite, {"fields": ["location"]})
