"""RFC 9111 sections 3.2, 4.3.4 and 4.3.5: what a 304 and an answer to HEAD do to a stored response."""

import pytest

from adc.cache.validation import may_serve_on_error, refresh, refresh_by_head
from tests.unit.cache.messages import NOW, OPTIONS, date, request, response, stored

LATER = NOW + 100
BASE = ("Cache-Control: max-age=60", 'ETag: "a"')


def refreshed(entry, *fields: str, asked=None):
    return refresh(entry, asked or request(), response(*fields, status=304, length=0), LATER, LATER, OPTIONS)


@pytest.mark.parametrize(
    "name",
    [
        "X-Test",
        "Content-Foo",
        "X-Content-Foo",
        "Content-Type",
        "Content-Location",
        "Content-Language",
        "Location",
        "Content-MD5",
        "Content-Security-Policy",
        "X-Frame-Options",
        "Link",
        "Access-Control-Allow-Origin",
    ],
)
def test_a_304_replaces_fields(name: str) -> None:
    updated = refreshed(stored(*BASE, f"{name}: old", f"{name}: older"), f"{name}: new").entry
    assert updated.headers.get_all(name.lower().encode()) == [b"new"]


@pytest.mark.parametrize("name", ["Content-Encoding", "Content-Range"])
def test_a_304_does_not_change_what_describes_the_bytes_held(name: str) -> None:
    updated = refreshed(stored(*BASE, f"{name}: old"), f"{name}: new").entry
    assert updated.headers.get(name.lower().encode()) == b"old"


@pytest.mark.parametrize(
    "name", ["Content-Encoding", "Content-Range", "Content-Length", "Connection", "Keep-Alive"]
)
def test_a_304_does_not_add_what_must_not_be_stored(name: str) -> None:
    assert name.lower().encode() not in refreshed(stored(*BASE), f"{name}: new").entry.headers


def test_fields_that_a_304_does_not_have_stay() -> None:
    entry = stored(*BASE, "X-Test: old")
    updated = refreshed(entry, "X-Other: new").entry
    assert updated.headers.get(b"x-test") == b"old"
    assert updated.headers.get(b"x-other") == b"new"
    assert (updated.body, updated.length, updated.status) == (b"hello", 5, 200)


def test_a_304_renews_freshness_and_date() -> None:
    updated = refreshed(stored(*BASE, "Age: 50"), "Cache-Control: max-age=7").entry
    assert updated.terms.freshness(LATER) == 7
    assert updated.headers.get(b"date") == date(100).encode()


def test_a_304_without_directives_renews_by_the_stored_ones() -> None:
    assert refreshed(stored(*BASE)).entry.terms.freshness(LATER + 10) == 50


def test_the_age_of_a_304_counts() -> None:
    assert refreshed(stored(*BASE), "Age: 20").entry.terms.age(LATER) == 20


def test_expires_of_a_304_counts_from_its_date() -> None:
    entry = stored(f"Expires: {date(60)}", f"Date: {date()}", 'ETag: "a"')
    updated = refreshed(entry, f"Expires: {date(130)}", f"Date: {date(100)}").entry
    assert updated.terms.freshness(LATER) == 30


@pytest.mark.parametrize("etag", ['"a"', 'W/"a"'])
def test_a_matching_etag_confirms(etag: str) -> None:
    assert refreshed(stored(*BASE), f"ETag: {etag}") is not None


def test_a_304_for_another_representation_confirms_nothing() -> None:
    assert refreshed(stored(*BASE), 'ETag: "b"') is None
    assert refreshed(stored("Cache-Control: max-age=60"), 'ETag: "b"') is None
    modified = stored("Cache-Control: max-age=60", f"Last-Modified: {date(-90)}")
    assert refreshed(modified, f"Last-Modified: {date(-80)}") is None
    assert refreshed(modified, f"Last-Modified: {date(-90)}") is not None


@pytest.mark.parametrize("control", ["no-store", "private", "no-store, max-age=60"])
def test_a_304_that_forbids_storing_is_used_once(control: str) -> None:
    found = refreshed(stored(*BASE), f"Cache-Control: {control}")
    assert not found.keep


def test_vary_star_in_a_304_ends_reuse() -> None:
    assert not refreshed(stored(*BASE), "Vary: *").keep
    assert refreshed(stored(*BASE)).keep


def test_a_new_vary_takes_the_values_of_the_confirming_request() -> None:
    updated = refreshed(stored(*BASE), "Vary: Accept", asked=request("Accept: x")).entry
    assert updated.varying == ((b"accept", b"x"),)


@pytest.mark.parametrize(
    ("field", "control", "apart"),
    [
        ("X-A: 1", "max-age=60", False),
        ("X-Host: evil", "max-age=60", True),
        ("X_Host: evil", "max-age=60", True),
        ("X-Forwarded-Host: evil", "max-age=60", True),
        ("X-HTTP-Method-Override: PUT", "max-age=60", True),
        ("Cache-Control: no-store", "max-age=60", True),
        ("Authorization: x", "max-age=60", True),
        ("Authorization: x", "max-age=60, public", False),
    ],
)
def test_response_that_could_not_be_stored_updates_nothing(field: str, control: str, apart: bool) -> None:
    entry, asked = stored(*BASE), request(field)
    head = response(f"Cache-Control: {control}", 'ETag: "a"', "X-A: new")
    assert refreshed(entry, f"Cache-Control: {control}", asked=asked).apart is apart
    assert (refresh_by_head(entry, asked, head, LATER, LATER, OPTIONS) is entry) is apart
    gone = response(f"Cache-Control: {control}", status=404)
    assert (refresh_by_head(entry, asked, gone, LATER, LATER, OPTIONS) is entry) is apart


def test_a_trusted_proxy_may_say_where_it_was_asked() -> None:
    answer = response('ETag: "a"', status=304)
    asked = request("X-Forwarded-Port: 443")
    found = refresh(stored(*BASE), asked, answer, LATER, LATER, OPTIONS, peer_trusted=True)
    assert not found.apart


def test_a_cookie_of_a_304_is_for_its_client_only() -> None:
    found = refreshed(stored(*BASE), "Set-Cookie: a=1")
    assert b"set-cookie" not in found.entry.headers
    assert found.own == ((b"Set-Cookie", b"a=1"),)


class TestHead:
    def head(self, entry, *fields: str, status: int = 200, length: int = 5):
        answer = response(*fields, status=status, length=length)
        return refresh_by_head(entry, request(method="HEAD"), answer, LATER, LATER, OPTIONS)

    def test_a_matching_head_updates(self) -> None:
        updated = self.head(stored(*BASE), 'ETag: "a"', "X-Test: new", "Cache-Control: max-age=9")
        assert updated.headers.get(b"x-test") == b"new"
        assert updated.terms.freshness(LATER) == 9
        assert updated.body == b"hello"

    def test_an_unknown_length_does_not_contradict(self) -> None:
        assert self.head(stored(*BASE), 'ETag: "a"', length=-1) is not None

    @pytest.mark.parametrize(
        ("fields", "length"),
        [(('ETag: "b"',), 5), (('ETag: "a"',), 6), ((f"Last-Modified: {date(-1)}",), 5)],
    )
    def test_a_contradicting_head_outdates(self, fields: tuple[str, ...], length: int) -> None:
        entry = stored(*BASE, f"Last-Modified: {date(-9)}")
        assert self.head(entry, *fields, length=length) is None

    @pytest.mark.parametrize(
        "field", ["Cache-Control: no-store, max-age=60", "Cache-Control: private", "Vary: *"]
    )
    def test_a_head_that_forbids_storing_ends_what_is_stored(self, field: str) -> None:
        assert self.head(stored(*BASE), 'ETag: "a"', field) is None

    @pytest.mark.parametrize(("status", "outdated"), [(404, True), (410, True), (500, False), (302, False)])
    def test_other_statuses(self, status: int, outdated: bool) -> None:
        entry = stored(*BASE)
        assert self.head(entry, status=status) is (None if outdated else entry)


def test_errors_are_bridged_while_fresh_too() -> None:
    assert may_serve_on_error(stored(*BASE), NOW)
    assert not may_serve_on_error(stored(*BASE), NOW + 61)
