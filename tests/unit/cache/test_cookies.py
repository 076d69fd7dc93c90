"""Which cookies choose among stored responses and belong to keys."""

import pytest

from adc.cache.cookies import EVERY_COOKIE, CookieRules, cookie_names
from adc.cache.keys import KeyRules, primary_key
from adc.cache.options import CacheOptions
from adc.cache.policy import Hit, lookup
from adc.http.cookies import MAX_COOKIES
from tests.unit.cache.messages import NOW, lines, request, stored

TRACKERS = CookieRules(ignored=cookie_names(["_ga", "_ga_*"]))
SESSION = CookieRules(only=cookie_names(["session", "lang_*"]))


def drop_sticky(headers):
    kept = [value.replace(b"STICKY=mark;", b"") for value in headers.get_all(b"cookie")]
    headers.remove(b"cookie")
    for value in kept:
        headers.add(b"Cookie", value)


OWN = CookieRules(own=(drop_sticky,))


@pytest.mark.parametrize(
    ("rules", "fields", "value"),
    [
        (EVERY_COOKIE, (), None),
        (EVERY_COOKIE, ("Cookie: b=2;a=1 ;; ",), b"b=2; a=1"),
        (EVERY_COOKIE, ("Cookie: a=1", "Cookie: b=2"), b"a=1; b=2"),
        (TRACKERS, ("Cookie: _ga=1; a=1; _ga_X=2; _gab=3; _GA=4",), b"a=1; _gab=3; _GA=4"),
        (TRACKERS, ("Cookie: _ga=1; _ga_=2",), None),
        (TRACKERS, ("Cookie: _ga; _ga =1",), None),
        (SESSION, ("Cookie: _ga=1; session=x; lang_a=de; sessions=y",), b"session=x; lang_a=de"),
        (OWN, ("Cookie: STICKY=mark; a=1",), b"a=1"),
        (OWN, ("Cookie: STICKY=mark;",), None),
    ],
)
def test_cookies_that_count(rules, fields, value):
    assert rules.value(lines(fields)) == value


@pytest.mark.parametrize(
    "field",
    ['Cookie: a="x; _ga=evil"; b=1', "Cookie: " + "; ".join(f"_ga_{n}=1" for n in range(MAX_COOKIES + 1))],
)
def test_cookie_that_an_application_may_read_otherwise_counts(field):
    assert b"_ga" in (TRACKERS.value(lines((field,))) or b"")


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("Cookie: _ga=1", "Cookie: _ga=2", True),
        ("Cookie: _ga=1; a=1", "Cookie: a=1", True),
        ("Cookie: _ga=1", "X: y", True),
        ("Cookie: _ga=1; a=1", "Cookie: _ga=1; a=2", False),
    ],
)
def test_ignored_cookies_do_not_choose_a_variant(one, other, shared):
    options = CacheOptions(key=KeyRules(counted_cookies=TRACKERS))
    entry = stored("Cache-Control: max-age=60", "Vary: Cookie", asked=request(one), options=options)
    assert isinstance(lookup(request(other), [entry], NOW + 1, options), Hit) is shared


@pytest.mark.parametrize("rules", [KeyRules(headers=(b"cookie",)), KeyRules(cookies=(b"STICKY", b"a"))])
def test_own_cookie_is_not_part_of_a_key(rules):
    rules = KeyRules(headers=rules.headers, cookies=rules.cookies, counted_cookies=OWN)
    assert primary_key(request("Cookie: STICKY=mark; a=1"), rules) == primary_key(
        request("Cookie: a=1"), rules
    )
    assert primary_key(request("Cookie: a=2"), rules) != primary_key(request("Cookie: a=1"), rules)
