"""RFC 9111 sections 4 and 5.2.1: when a stored response answers."""

import pytest

from adc.cache.options import CacheOptions
from adc.cache.policy import (
    Hit,
    Miss,
    OnlyIfCached504,
    Revalidate,
    Stale,
    lookup,
    reusable,
    select,
    without_conditions,
)
from tests.unit.cache.messages import NOW, OPTIONS, date, lines, request, stored

FRESH = ("Cache-Control: max-age=60", 'ETag: "a"')


def decide(entry, *fields: str, after: float = 1, **more):
    return lookup(request(*fields, **more), [entry], NOW + after, OPTIONS)


def test_a_fresh_entry_is_a_hit_up_to_its_last_second() -> None:
    entry = stored(*FRESH)
    assert decide(entry, after=59.9) == Hit(entry)
    assert isinstance(decide(entry, after=60), Revalidate)


def test_head_is_answered_from_a_get() -> None:
    assert isinstance(decide(stored(*FRESH), method="HEAD"), Hit)


def test_nothing_stored_is_a_uri_miss() -> None:
    assert lookup(request(), [], NOW, OPTIONS) == Miss("uri-miss")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "FOO"])
def test_other_methods_go_to_the_member(method: str) -> None:
    assert decide(stored(*FRESH), method=method) == Miss("method", f"method {method}")


@pytest.mark.parametrize("field", ['If-Match: "a"', f"If-Unmodified-Since: {date()}"])
def test_preconditions_of_the_origin_go_to_the_origin(field: str) -> None:
    assert decide(stored(*FRESH), field).why == "bypass"


def test_a_request_with_content_goes_to_the_member() -> None:
    assert decide(stored(*FRESH), body_length=3).why == "bypass"


@pytest.mark.parametrize(
    "field",
    [
        "Cache-Control: no-cache",
        "Cache-Control: max-age=0",
        "Cache-Control: max-age=0.5",
        "Cache-Control: min-fresh=60",
        "Cache-Control: max-age=5, max-stale=100",
        "Pragma: no-cache",
        "Pragma: foo, No-Cache",
    ],
)
def test_the_client_may_want_a_fresher_response(field: str) -> None:
    decision = decide(stored(*FRESH), field, after=10)
    assert isinstance(decision, Revalidate)
    assert decision.why == "request"
    assert decision.detail


@pytest.mark.parametrize(
    "field",
    [
        "Cache-Control: max-age=10",
        "Cache-Control: min-fresh=50",
        "Cache-Control: max-stale",
        "Cache-Control: only-if-cached",
        "Cache-Control: foo",
        "Pragma: foo",
        "Cache-Control: ",
    ],
)
def test_wishes_that_the_entry_meets(field: str) -> None:
    assert isinstance(decide(stored(*FRESH), field, after=10), Hit)


def test_pragma_has_no_meaning_beside_cache_control() -> None:
    assert isinstance(decide(stored(*FRESH), "Cache-Control: max-age=50", "Pragma: no-cache"), Hit)


@pytest.mark.parametrize(
    ("field", "served"),
    [
        ("Cache-Control: max-stale", True),
        ("Cache-Control: max-stale=40", True),
        ("Cache-Control: max-stale=39", False),
        ("Cache-Control: max-stale=abc", False),
        ("Cache-Control: max-stale, no-cache", False),
    ],
)
def test_max_stale(field: str, served: bool) -> None:
    assert isinstance(decide(stored(*FRESH), field, after=100), Hit) is served


@pytest.mark.parametrize("control", ["must-revalidate", "proxy-revalidate", "s-maxage=60", "no-cache"])
def test_max_stale_yields_to_the_origin(control: str) -> None:
    entry = stored(f"Cache-Control: {control}, max-age=60", 'ETag: "a"')
    assert isinstance(decide(entry, "Cache-Control: max-stale", after=100), Revalidate)


def test_no_cache_is_validated_every_time() -> None:
    decision = decide(stored("Cache-Control: no-cache, max-age=60", 'ETag: "a"'))
    assert isinstance(decision, Revalidate)
    assert decision.why == "stale"


def test_no_cache_with_a_field_list_leaves_the_rest_fresh() -> None:
    assert isinstance(decide(stored('Cache-Control: no-cache="x-a", max-age=60', "X-A: 1")), Hit)


def test_stale_while_revalidate_serves_within_its_window() -> None:
    entry = stored("Cache-Control: max-age=60, stale-while-revalidate=30", 'ETag: "a"')
    assert decide(entry, after=89) == Stale(entry, ((b"If-None-Match", b'"a"'),))
    assert isinstance(decide(entry, after=91), Revalidate)


def test_stale_while_revalidate_of_the_route() -> None:
    options = CacheOptions(stale_while_revalidate=30)
    assert isinstance(decide(stored(*FRESH, options=options), after=89), Stale)
    strict = stored("Cache-Control: max-age=60, must-revalidate", 'ETag: "a"', options=options)
    assert isinstance(decide(strict, after=61), Revalidate)


def test_a_client_with_wishes_gets_no_stale_response_unasked() -> None:
    entry = stored("Cache-Control: max-age=60, stale-while-revalidate=30", 'ETag: "a"')
    assert isinstance(decide(entry, "Cache-Control: max-age=3600", after=70), Revalidate)


def test_an_invalidated_entry_is_validated_whatever_the_client_accepts() -> None:
    entry = stored("Cache-Control: max-age=60, stale-while-revalidate=30, stale-if-error=99", 'ETag: "a"')
    entry.invalid = True
    decision = decide(entry, "Cache-Control: max-stale")
    assert isinstance(decision, Revalidate)
    assert not decision.if_error


def test_only_if_cached_never_fetches() -> None:
    asked = request("Cache-Control: only-if-cached")
    assert lookup(asked, [], NOW, OPTIONS) == OnlyIfCached504()
    assert lookup(asked, [stored(*FRESH)], NOW + 61, OPTIONS) == OnlyIfCached504()
    assert isinstance(lookup(asked, [stored(*FRESH)], NOW, OPTIONS), Hit)
    with_condition = request("Cache-Control: only-if-cached", 'If-Match: "a"')
    assert lookup(with_condition, [stored(*FRESH)], NOW, OPTIONS) == OnlyIfCached504()


@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        (FRESH, 0, True),
        (FRESH, 61, False),
        (("Cache-Control: max-age=60, no-cache", 'ETag: "a"'), 0, False),
        (("Cache-Control: max-age=60, stale-while-revalidate=60",), 61, False),
    ],
)
def test_fresh_entry_is_reusable_without_validation(
    fields: tuple[str, ...], after: float, expected: bool
) -> None:
    assert reusable(stored(*fields), NOW + after) is expected


def test_invalidated_entry_is_not_reusable() -> None:
    entry = stored(*FRESH)
    entry.invalid = True
    assert not reusable(entry, NOW)


@pytest.mark.parametrize(
    ("fields", "conditions"),
    [
        (('ETag: "a"',), ((b"If-None-Match", b'"a"'),)),
        (('ETag: W/"a"',), ((b"If-None-Match", b'W/"a"'),)),
        ((f"Last-Modified: {date(-9)}",), ((b"If-Modified-Since", date(-9).encode()),)),
        (
            ('ETag: "a"', f"Last-Modified: {date(-9)}"),
            ((b"If-None-Match", b'"a"'), (b"If-Modified-Since", date(-9).encode())),
        ),
        ((), ()),
    ],
)
def test_conditions_of_the_validation(fields: tuple[str, ...], conditions: object) -> None:
    decision = decide(stored("Cache-Control: max-age=1", *fields), after=9)
    assert isinstance(decision, Revalidate)
    assert decision.conditions == conditions


def test_the_clients_own_conditions_make_way() -> None:
    kept = without_conditions(lines(('If-None-Match: "x"', "if-modified-since: y", "Accept: z")).pairs)
    assert kept == [(b"Accept", b"z")]


@pytest.mark.parametrize(
    ("control", "fields", "after", "allowed"),
    [
        ("max-age=60, stale-if-error=30", (), 89, True),
        ("max-age=60, stale-if-error=30", (), 91, False),
        ("max-age=60, stale-if-error=30", ("Cache-Control: stale-if-error=50",), 100, True),
        ("max-age=60", ("Cache-Control: stale-if-error=50",), 100, True),
        ("max-age=60, must-revalidate", ("Cache-Control: stale-if-error=50",), 100, False),
        ("s-maxage=60", ("Cache-Control: stale-if-error=50",), 100, False),
        ("max-age=60, must-revalidate, stale-if-error=50", (), 61, False),
        ("max-age=60, stale-if-error=30", ("Cache-Control: no-cache",), 61, False),
        ("max-age=60", (), 61, False),
    ],
)
def test_stale_if_error(control: str, fields: tuple[str, ...], after: float, allowed: bool) -> None:
    decision = decide(stored(f"Cache-Control: {control}", 'ETag: "a"'), *fields, after=after)
    assert isinstance(decision, Revalidate)
    assert decision.if_error is allowed


class TestVary:
    """RFC 9111 section 4.1."""

    ASKED = request("Accept-Language: en")

    def entry(self, *fields: str, language: str = "en"):
        return stored(*FRESH, "Vary: Accept-Language", *fields, asked=request(f"Accept-Language: {language}"))

    def test_another_value_is_a_vary_miss(self) -> None:
        assert lookup(self.ASKED, [self.entry(language="de")], NOW, OPTIONS) == Miss("vary-miss")

    def test_absence_matches_only_absence(self) -> None:
        assert isinstance(lookup(request(), [self.entry()], NOW, OPTIONS), Miss)
        without = stored(*FRESH, "Vary: Accept-Language")
        assert isinstance(lookup(self.ASKED, [without], NOW, OPTIONS), Miss)
        assert isinstance(lookup(request(), [without], NOW, OPTIONS), Hit)

    def test_the_matching_one_of_several_answers(self) -> None:
        entries = [self.entry(language="de"), self.entry(), self.entry(language="fr")]
        assert lookup(self.ASKED, entries, NOW, OPTIONS) == Hit(entries[1])

    def test_the_most_recent_date_wins_among_several_matches(self) -> None:
        older, newer = self.entry(f"Date: {date(-5)}"), self.entry(f"Date: {date(-1)}")
        assert select(self.ASKED, [newer, older], NOW, OPTIONS) is newer
        assert select(self.ASKED, [older, newer], NOW, OPTIONS) is newer

    def test_a_response_without_vary_gives_way_to_one_chosen_by_the_fields(self) -> None:
        chosen, default = self.entry(f"Date: {date(-5)}"), stored(*FRESH, f"Date: {date(-1)}")
        for entries in ([chosen, default], [default, chosen]):
            assert select(self.ASKED, entries, NOW, OPTIONS) is chosen
            assert select(request("Accept-Language: de"), entries, NOW, OPTIONS) is default

    def test_all_named_fields_must_match(self) -> None:
        asked = request("A: 1", "B: 2")
        entry = stored(*FRESH, "Vary: A", "Vary: b, C", asked=asked)
        assert isinstance(lookup(asked, [entry], NOW, OPTIONS), Hit)
        assert isinstance(lookup(request("A: 1", "B: 3"), [entry], NOW, OPTIONS), Miss)
        assert isinstance(lookup(request("A: 1", "B: 2", "C: x"), [entry], NOW, OPTIONS), Miss)


class TestPartial:
    """RFC 9111 section 3.3."""

    def entry(self):
        return stored(*FRESH, "Content-Range: bytes 2-6/10", status=206)

    @pytest.mark.parametrize("span", ["2-6", "3-4", "6-6"])
    def test_a_stored_part_answers_ranges_inside_it(self, span: str) -> None:
        assert isinstance(decide(self.entry(), f"Range: bytes={span}"), Hit)

    @pytest.mark.parametrize("span", ["0-3", "2-7", "2-", "-3", "7-8", "2-3,5-6", "20-"])
    def test_other_ranges_are_fetched(self, span: str) -> None:
        assert decide(self.entry(), f"Range: bytes={span}").why == "partial"

    def test_a_request_for_all_is_fetched(self) -> None:
        assert decide(self.entry()).why == "partial"

    def test_two_lines_of_range_are_fetched(self) -> None:
        assert decide(self.entry(), "Range: bytes=0-1", "Range: bytes=3-4").why == "partial"

    def test_if_range_of_another_version_is_fetched(self) -> None:
        assert decide(self.entry(), "Range: bytes=2-6", 'If-Range: "b"').why == "partial"
        assert isinstance(decide(self.entry(), "Range: bytes=2-6", 'If-Range: "a"'), Hit)

    def test_a_suffix_is_answered_when_the_part_reaches_the_end(self) -> None:
        entry = stored(*FRESH, "Content-Range: bytes 5-9/10", status=206)
        assert isinstance(decide(entry, "Range: bytes=-3"), Hit)
        assert isinstance(decide(entry, "Range: bytes=7-"), Hit)


@pytest.mark.parametrize(
    "directive", ["foo", "foo=bar", "no-transform", "no-store", "stale-if-error=5", "only-if-cached"]
)
def test_request_directive_that_says_nothing_of_staleness_keeps_stale_while_revalidate(
    directive: str,
) -> None:
    entry = stored("Cache-Control: max-age=10, stale-while-revalidate=10")
    asked = request(f"Cache-Control: {directive}")
    assert isinstance(lookup(asked, [entry], NOW + 15, OPTIONS), Stale)


@pytest.mark.parametrize("directive", ["no-cache", "max-age=100", "min-fresh=1", "max-stale=1"])
def test_request_directive_that_limits_staleness_ends_stale_while_revalidate(directive: str) -> None:
    entry = stored("Cache-Control: max-age=10, stale-while-revalidate=10")
    asked = request(f"Cache-Control: {directive}")
    assert isinstance(lookup(asked, [entry], NOW + 15, OPTIONS), Revalidate)
