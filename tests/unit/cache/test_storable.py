"""RFC 9111 section 3: which responses are stored, and with which fields."""

import pytest

from adc.cache.options import CacheOptions
from adc.cache.storable import Pass, Store
from adc.http.message import Response
from tests.unit.cache.messages import NOW, date, decide, request, response, stored

ALL_STATUS = [
    *(200, 201, 202, 203, 204, 299, 300, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414, 418),
    *(499, 500, 501, 502, 503, 504, 599),
]


def is_stored(*fields: str, **more) -> bool:
    return isinstance(decide(request(), response(*fields, **more)), Store)


@pytest.mark.parametrize("status", ALL_STATUS)
@pytest.mark.parametrize("control", ["Cache-Control: max-age=60", "Cache-Control: public, s-maxage=1"])
def test_any_final_status_with_explicit_freshness_is_stored(status: int, control: str) -> None:
    assert is_stored(control, status=status)


@pytest.mark.parametrize("status", ALL_STATUS)
def test_expires_is_explicit_freshness(status: int) -> None:
    assert is_stored(f"Expires: {date(60)}", f"Date: {date()}", status=status)


@pytest.mark.parametrize("status", ALL_STATUS)
def test_heuristics_are_for_the_statuses_that_rfc_9110_names(status: int) -> None:
    heuristic = status in {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}
    assert is_stored(f"Last-Modified: {date(-10_000)}", status=status) is heuristic


@pytest.mark.parametrize("status", [100, 101, 103, 304])
def test_interim_responses_and_304_are_never_stored(status: int) -> None:
    assert not is_stored("Cache-Control: max-age=60", status=status)


@pytest.mark.parametrize("status", [428, 429, 431, 511])
@pytest.mark.parametrize("control", ["max-age=60", "public, s-maxage=60", "max-age=60, must-understand"])
def test_responses_for_one_client_by_rfc_6585_are_never_stored(status: int, control: str) -> None:
    assert not is_stored(f"Cache-Control: {control}", status=status)


@pytest.mark.parametrize(
    ("status", "kept"), [(416, False), (400, False), (403, False), (404, True), (410, True)]
)
def test_an_error_that_a_range_may_have_caused_is_not_kept_for_those_who_ask_for_all(
    status: int, kept: bool
) -> None:
    answer = response("Cache-Control: max-age=60", status=status)
    assert isinstance(decide(request("Range: bytes=50-60"), answer), Store) is kept
    assert isinstance(decide(request(), answer), Store)


@pytest.mark.parametrize(
    "control",
    [
        "no-store",
        "no-store, max-age=60",
        "max-age=60, No-Store",
        "no-store=foo, max-age=60",
        "private",
        "private, max-age=60, public",
        'private="", max-age=60',
        'x="unclosed, no-store, max-age=60',
    ],
)
def test_forbidding_directives(control: str) -> None:
    assert not is_stored(f"Cache-Control: {control}", 'ETag: "a"')


def test_a_directive_inside_a_quoted_extension_does_not_forbid() -> None:
    assert is_stored('Cache-Control: max-age=60, ext="no-store, private"')


@pytest.mark.parametrize(("status", "kept"), [(200, True), (404, True), (599, False), (299, False)])
def test_must_understand_lifts_no_store_for_understood_statuses_only(status: int, kept: bool) -> None:
    assert is_stored("Cache-Control: must-understand, no-store, max-age=60", status=status) is kept


@pytest.mark.parametrize(
    ("control", "kept"),
    [
        ("max-age=60", False),
        ("max-age=60, public", True),
        ("s-maxage=60", True),
        ("max-age=60, must-revalidate", True),
        ("max-age=60, proxy-revalidate", False),
        ("max-age=60, no-cache", False),
    ],
)
def test_authorization_needs_permission(control: str, kept: bool) -> None:
    asked = request("Authorization: Basic eA==")
    assert isinstance(decide(asked, response(f"Cache-Control: {control}")), Store) is kept


def test_request_no_store_is_obeyed() -> None:
    asked = request("Cache-Control: no-store")
    assert decide(asked, response("Cache-Control: max-age=60")) == Pass("request no-store", lasting=False)


@pytest.mark.parametrize(
    ("control", "kept"),
    [
        ("max-age=60", False),
        ("public, max-age=60", True),
        ("s-maxage=60", True),
        ('max-age=1, no-cache="Set-Cookie"', True),
    ],
)
def test_set_cookie_needs_an_explicitly_shared_response(control: str, kept: bool) -> None:
    assert is_stored(f"Cache-Control: {control}", "Set-Cookie: a=1") is kept


def test_set_cookie_may_be_allowed_by_any_explicit_freshness() -> None:
    options = CacheOptions(cookies_need_public=False, default_ttl=60)
    explicit = response("Cache-Control: max-age=60", "Set-Cookie: a=1")
    assert isinstance(decide(request(), explicit, options), Store)
    assert isinstance(decide(request(), response("Set-Cookie: a=1"), options), Pass)


@pytest.mark.parametrize("vary", ["*", "Accept, *", "*, Accept", " * "])
def test_vary_star_is_not_stored(vary: str) -> None:
    assert not is_stored("Cache-Control: max-age=60", f"Vary: {vary}")


def test_a_vary_of_many_fields_is_not_stored() -> None:
    names = ", ".join(f"x-{number}" for number in range(17))
    assert not is_stored("Cache-Control: max-age=60", f"Vary: {names}")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "FOO"])
def test_methods_other_than_get_are_not_stored(method: str) -> None:
    assert isinstance(decide(request(method=method), response("Cache-Control: max-age=60")), Pass)


@pytest.mark.parametrize(
    ("place", "kept"),
    [
        (None, False),
        ("/a", True),
        ("http://example.com/a", True),
        ("/b", False),
        ("http://evil.test/a", False),
    ],
)
def test_post_is_stored_only_as_the_future_answer_to_get(place: str | None, kept: bool) -> None:
    fields = ["Cache-Control: max-age=60"] + ([f"Content-Location: {place}"] if place else [])
    asked = request(method="POST", body_length=3)
    assert isinstance(decide(asked, response(*fields)), Store) is kept


def test_a_get_with_content_is_not_stored() -> None:
    assert isinstance(decide(request(body_length=3), response("Cache-Control: max-age=60")), Pass)


@pytest.mark.parametrize(
    "field",
    [
        "X-Forwarded-Host: evil.test",
        "X-Original-URL: /admin",
        "X-Rewrite-URL: /admin",
        "X-HTTP-Method-Override: POST",
        "X-Forwarded-Scheme: nothttps",
        "X-Forwarded-Port: 1234",
        "X-Host: evil.test",
        "X_Original_URL: /admin",
        "x_forwarded-port: 1234",
    ],
)
def test_a_request_with_an_unkeyed_rerouting_field_fills_nothing(field: str) -> None:
    assert isinstance(decide(request(field), response("Cache-Control: max-age=60")), Pass)


def test_forwarding_fields_of_a_trusted_peer_are_believed() -> None:
    asked = request("X-Forwarded-Host: www.example.com", "X-Forwarded-Port: 443")
    assert isinstance(decide(asked, response("Cache-Control: max-age=60"), trusted=True), Store)
    asked = request("X-HTTP-Method-Override: POST")
    assert isinstance(decide(asked, response("Cache-Control: max-age=60"), trusted=True), Pass)


@pytest.mark.parametrize(
    "field",
    [
        "Connection: close",
        "Keep-Alive: timeout=5",
        "Proxy-Authenticate: Basic",
        "Proxy-Authentication-Info: x",
        "Proxy-Authorization: Basic eA==",
        "Proxy-Connection: close",
        "TE: trailers",
        "Trailer: x",
        "Transfer-Encoding: chunked",
        "Upgrade: foo",
        "Age: 5",
        "Content-Length: 5",
    ],
)
def test_fields_of_one_connection_are_not_stored(field: str) -> None:
    entry = stored("Cache-Control: max-age=60", field)
    assert field.partition(":")[0].lower().encode() not in entry.headers


def test_fields_named_by_connection_are_not_stored() -> None:
    entry = stored("Cache-Control: max-age=60", "Connection: x-a, X-B", "X-A: 1", "X-B: 2", "X-C: 3")
    assert [name for name, _ in entry.headers] == [b"Cache-Control", b"X-C", b"Date"]


def test_fields_listed_by_qualified_directives_are_not_stored() -> None:
    entry = stored('Cache-Control: max-age=60, no-cache="x-a", private="x-b"', "X-A: 1", "X-B: 2", "X-C: 3")
    assert b"x-a" not in entry.headers
    assert b"x-b" not in entry.headers
    assert b"x-c" in entry.headers


def test_a_missing_date_is_added() -> None:
    assert stored("Cache-Control: max-age=60").headers.get(b"date") == date().encode()


def test_the_order_and_number_of_field_lines_is_kept() -> None:
    fields = (
        "Cache-Control: public, max-age=60",
        "Link: </a>",
        "Set-Cookie: a=1",
        "Set-Cookie: b=2",
        "Link: </b>",
    )
    pairs = stored(*fields).headers.pairs
    assert [b": ".join(pair).decode() for pair in pairs[:5]] == list(fields)


def test_response_that_can_never_be_reused_is_not_stored() -> None:
    assert not is_stored("Cache-Control: max-age=0")
    assert not is_stored("Cache-Control: no-cache")
    assert not is_stored()
    assert is_stored("Cache-Control: max-age=0", 'ETag: "a"')
    assert is_stored("Cache-Control: no-cache", f"Last-Modified: {date(-9)}")
    assert is_stored("Cache-Control: max-age=0, stale-if-error=60")


def test_too_long_content_is_not_stored() -> None:
    options = CacheOptions(max_object=4)
    assert isinstance(decide(request(), response("Cache-Control: max-age=60", length=5), options), Pass)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("bytes 0-4/10", True),
        ("bytes 0-4/*", True),
        ("bytes 0-5/10", False),
        ("bytes 4-0/10", False),
        ("bytes 0-10/10", False),
        ("bytes */10", False),
        ("lines 0-4/10", False),
    ],
)
def test_a_206_is_stored_if_its_place_is_clear(where: str, kept: bool) -> None:
    assert is_stored("Cache-Control: max-age=60", f"Content-Range: {where}", status=206) is kept


def test_a_206_without_content_range_is_not_stored() -> None:
    assert not is_stored("Cache-Control: max-age=60", status=206)
    multipart = "Content-Type: multipart/byteranges; boundary=x"
    assert not is_stored("Cache-Control: max-age=60", "Content-Range: bytes 0-4/9", multipart, status=206)


def test_tags_are_divided_by_commas_and_spaces() -> None:
    options = CacheOptions(tag_header=b"surrogate-key")
    entry = stored("Cache-Control: max-age=60", "Surrogate-Key: a b,c", "Surrogate-Key: a", options=options)
    assert entry.tags == (b"a", b"b", b"c")


class TestTargeted:
    """RFC 9213."""

    def test_a_targeted_field_replaces_cache_control(self) -> None:
        assert is_stored("CDN-Cache-Control: max-age=60", "Cache-Control: no-store")
        assert not is_stored("CDN-Cache-Control: no-store", "Cache-Control: max-age=60")
        assert not is_stored("CDN-Cache-Control: private", "Cache-Control: max-age=60")

    def test_an_unreadable_or_empty_targeted_field_is_ignored(self) -> None:
        for value in ("", "max-age =60", "max-age=60,,", "MAX-AGE=60"):
            assert not is_stored(f"CDN-Cache-Control: {value}", "Cache-Control: no-store"), value
            assert is_stored(f"CDN-Cache-Control: {value}", "Cache-Control: max-age=60"), value

    def test_a_wrongly_typed_lifetime_is_no_lifetime(self) -> None:
        assert not is_stored('CDN-Cache-Control: max-age="60"')
        assert not is_stored("CDN-Cache-Control: max-age=60.5")

    def test_the_first_field_of_the_target_list_wins(self) -> None:
        options = CacheOptions(targeted=(b"adc-cache-control", b"cdn-cache-control"))
        answer = response("CDN-Cache-Control: no-store", "ADC-Cache-Control: max-age=7")
        decision = decide(request(), answer, options)
        assert isinstance(decision, Store)
        assert decision.ttl == 7

    def test_expires_has_no_say_beside_a_targeted_field(self) -> None:
        entry = stored("CDN-Cache-Control: public", f"Expires: {date(500)}", 'ETag: "a"')
        assert entry.terms.lifetime == 0


def test_the_decision_tells_the_freshness_left() -> None:
    decision = decide(request(), Response(200, stored("Cache-Control: max-age=60").headers, b"", 5))
    assert isinstance(decision, Store)
    assert decision.ttl == 60
    assert decision.entry.terms.born == NOW
