"""RFC 9111 section 4.2: lifetime and age."""

import pytest

from adc.cache.directives import response_directives
from adc.cache.freshness import initial_age, lifetime, terms
from adc.cache.options import CacheOptions
from tests.unit.cache.messages import NOW, OPTIONS, date, lines

DAY = 86_400


def life(*fields: str, status: int = 200, options: CacheOptions = OPTIONS):
    headers = lines(fields)
    return lifetime(status, headers, response_directives(headers, options.targeted), NOW, options)


def reuse(*fields: str, options: CacheOptions = OPTIONS, delay: float = 0):
    headers = lines(fields)
    directives = response_directives(headers, options.targeted)
    return terms(200, headers, directives, NOW - delay, NOW, options)


@pytest.mark.parametrize(
    ("fields", "seconds", "source"),
    [
        (("Cache-Control: max-age=60",), 60, "max-age"),
        (("Cache-Control: max-age=60, s-maxage=5",), 5, "s-maxage"),
        (("Cache-Control: s-maxage=500, max-age=60",), 500, "s-maxage"),
        (("Cache-Control: max-age=60", f"Expires: {date(-9)}"), 60, "max-age"),
        (("Cache-Control: max-age=0", f"Expires: {date(999)}"), 0, "max-age"),
        (("Cache-Control: max-age=x", f"Expires: {date(999)}"), 0, "max-age"),
        ((f"Expires: {date(60)}",), 60, "Expires"),
        ((f"Expires: {date(60)}", f"Date: {date(-40)}"), 100, "Expires"),
        ((f"Expires: {date(60)}", "Date: yesterday"), 60, "Expires"),
        ((f"Expires: {date(-60)}",), 0, "Expires"),
        (("Expires: 0",), 0, "Expires"),
        (("Expires: ",), 0, "Expires"),
        (("Expires: -1",), 0, "Expires"),
        ((f"Expires: {date(60)}", f"Expires: {date(-60)}"), 60, "Expires"),
        (("Expires: 0", f"Expires: {date(60)}"), 0, "Expires"),
        ((f"Expires: {date(60)}, {date(60)}",), 0, "Expires"),
        (("CDN-Cache-Control: max-age=7", "Cache-Control: s-maxage=9"), 7, "max-age"),
        ((f"Last-Modified: {date(-1000)}",), 100, "heuristic"),
        ((f"Last-Modified: {date(-1000)}", f"Date: {date(-500)}"), 50, "heuristic"),
        ((f"Last-Modified: {date(1000)}",), 0, "heuristic"),
        (("Last-Modified: never",), 0, "heuristic"),
        ((f"Last-Modified: {date(-1000 * DAY)}",), DAY, "heuristic"),
    ],
)
def test_lifetime(fields: tuple[str, ...], seconds: float, source: str) -> None:
    found = life(*fields)
    assert (found.seconds, found.source) == (seconds, source)


@pytest.mark.parametrize(
    ("text", "fresh"),
    [
        ("Thu, 01 Dec 2050 16:00:00 GMT", True),
        ("thu, 01 dec 2050 16:00:00 gmt", True),
        ("Thu, 01 Dec 2050 16:00:00 UTC", False),
        ("Thursday, 01-Dec-50 16:00:00 GMT", True),
        ("Thu Dec  1 16:00:00 2050", True),
        ("Thu, 01 Dec 2050 16:00:00 PDT", False),
        ("Thu, 01 Dec 2050 16:00:00 +0000", False),
        ("Thu, 01 Dec 2050 16:00:00", False),
        ("Thu 01 Dec 2050 16:00:00 GMT", False),
        ("Thu,01 Dec 2050 16:00:00 GMT", False),
        ("Thu, 01-Dec-2050 16:00:00 GMT", False),
        ("Thu, 1 Dec 2050 16:00:00 GMT", False),
        ("Thu, 01 Dec 2050 6:00:00 GMT", False),
        ("Thu, 01 Dec 2050 16.00.00 GMT", False),
        ("Thu, 32 Dec 2050 16:00:00 GMT", False),
        ("Thu, 01 Dec 2050 25:00:00 GMT", False),
        ("Thu, 01  Dec 2050 16:00:00 GMT", False),
    ],
)
def test_forms_of_expires(text: str, fresh: bool) -> None:
    assert (life(f"Expires: {text}").seconds > 0) is fresh


def test_default_ttl_is_for_responses_about_which_the_origin_is_silent() -> None:
    options = CacheOptions(default_ttl=600)
    assert life(options=options).seconds == 600
    assert life(f"Last-Modified: {date(-10)}", options=options).source == "default_ttl"
    assert life("Cache-Control: max-age=1", options=options).seconds == 1
    assert life(status=500, options=options).seconds == 0
    assert life(status=404, options=options).source == "heuristic"


def test_negative_ttl_is_for_404_and_410() -> None:
    options = CacheOptions(negative_ttl=5, default_ttl=600)
    assert life(status=404, options=options).seconds == 5
    assert life(status=410, options=options).seconds == 5
    assert life("Cache-Control: max-age=1", status=404, options=options).seconds == 1
    assert life(status=503, options=options).seconds == 0


def test_public_allows_a_heuristic_for_any_status() -> None:
    assert life("Cache-Control: public", f"Last-Modified: {date(-1000)}", status=599).seconds == 100


@pytest.mark.parametrize(
    ("fields", "age"),
    [
        ((), 0),
        (("Age: 30",), 30),
        (("Age: 0030",), 30),
        (("Age: 30, 999",), 30),
        (("Age: 30", "Age: 999"), 30),
        (("Age: 0", "Age: 999"), 0),
        (("Age: x, 999",), 0),
        (("Age: -30",), 0),
        (("Age: 30.5",), 0),
        (("Age: 30s",), 0),
        (("Age: ",), 0),
        (("Age: 999999999999999999999",), 2**31),
        ((f"Date: {date(-40)}",), 40),
        ((f"Date: {date(-40)}", "Age: 30"), 40),
        ((f"Date: {date(-40)}", "Age: 50"), 50),
        ((f"Date: {date(500)}", "Age: 50"), 50),
        (("Date: tomorrow",), 0),
    ],
)
def test_initial_age(fields: tuple[str, ...], age: float) -> None:
    assert initial_age(lines(fields), NOW, NOW) == age


def test_the_time_the_response_took_counts_as_age() -> None:
    assert initial_age(lines(("Age: 30",)), NOW - 4, NOW) == 34
    assert initial_age(lines(()), NOW + 4, NOW) == 0


def test_age_grows_with_the_clock_and_is_never_negative() -> None:
    held = reuse("Cache-Control: max-age=60", "Age: 10")
    assert held.age(NOW + 5) == 15
    assert held.freshness(NOW + 5) == 45
    assert held.age(NOW - 100) == 0


@pytest.mark.parametrize(
    ("control", "revalidate", "error", "never"),
    [
        ("max-age=1", 30, 300, False),
        ("max-age=1, stale-while-revalidate=5, stale-if-error=6", 5, 6, False),
        ("max-age=1, stale-while-revalidate=0, stale-if-error=0", 0, 0, False),
        ("max-age=1, must-revalidate", 0, 0, True),
        ("max-age=1, proxy-revalidate, stale-while-revalidate=5", 0, 0, True),
        ("max-age=1, no-cache, stale-if-error=5", 0, 0, True),
        ("s-maxage=1", 0, 0, True),
        ("s-maxage=1, stale-while-revalidate=5, stale-if-error=6", 5, 6, True),
        ("max-age=1, stale-if-error=abc", 30, 0, False),
    ],
)
def test_stale_windows(control: str, revalidate: float, error: float, never: bool) -> None:
    options = CacheOptions(stale_while_revalidate=30, stale_if_error=300)
    held = reuse(f"Cache-Control: {control}", options=options)
    assert (held.stale_while_revalidate, held.stale_if_error, held.never_stale) == (revalidate, error, never)
