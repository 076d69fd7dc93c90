"""A route's stale windows never give one client's response to another."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.cache.entry import entry_from_bytes
from adc.cache.options import CacheOptions
from adc.cache.policy import Hit, Revalidate, Stale, lookup
from adc.cache.storable import Store
from adc.cache.validation import refresh
from tests.unit.cache.messages import NOW, date, decide, request, response, stored

WINDOWS = CacheOptions(stale_while_revalidate=600, stale_if_error=600)

NEVER_FRESH = [
    (),
    ('ETag: "a"',),
    (f"Last-Modified: {date(60)}",),
    ("Cache-Control: max-age=0",),
    ("Cache-Control: max-age=x",),
    ("Cache-Control: s-maxage=0",),
    ("Cache-Control: public",),
    ("Cache-Control: public, max-age=0",),
    ("Expires: 0",),
    (f"Expires: {date(-60)}",),
    (f"Expires: {date()}", f"Date: {date()}"),
    ("Expires: Thu, 01 Dec 2050 16:00:00 PST",),
    ("Cache-Control: no-cache",),
    ("Cache-Control: no-cache, max-age=60",),
    ("Pragma: no-cache",),
    ("Pragma: no-cache", f"Last-Modified: {date(-90_000)}"),
    ('Cache-Control: no-cache="x-user"',),
    ("Cache-Control: must-revalidate",),
    ("Cache-Control: proxy-revalidate",),
    ("Cache-Control: must-revalidate, max-age=0",),
    ("Cache-Control: private, max-age=60",),
    ("Cache-Control: no-store",),
    ("Set-Cookie: session=1",),
    ("Set-Cookie: session=1", "Cache-Control: max-age=60"),
    ("CDN-Cache-Control: max-age=0", "Cache-Control: max-age=60"),
]
OTHERS = [
    (),
    ("Cookie: session=2",),
    ("Cache-Control: max-stale",),
    ("Cache-Control: max-stale=99999, stale-if-error=99999",),
    ("Cache-Control: stale-if-error=99999",),
]


def reaches_another_client(entry, asked, later):
    """True if `entry` could answer `asked` without the origin's consent."""
    decision = lookup(asked, [entry], NOW + later, WINDOWS)
    return isinstance(decision, Hit | Stale) or (isinstance(decision, Revalidate) and decision.if_error)


@pytest.mark.parametrize("others", OTHERS)
@pytest.mark.parametrize("validator", [(), ('ETag: "a"',)])
@pytest.mark.parametrize("fields", NEVER_FRESH)
def test_response_never_fresh_is_not_reused_without_the_origin(fields, validator, others):
    decision = decide(request(), response(*fields, *validator), WINDOWS)
    if isinstance(decision, Store):
        entry = decision.entry.filled(b"mine!", 5)
        assert not any(reaches_another_client(entry, request(*others), later) for later in (0, 0.5, 1, 500))


@pytest.mark.parametrize("fields", [("Age: 60",), (f"Date: {date(-90)}",)])
def test_windows_of_the_route_do_not_extend_what_arrived_stale(fields):
    entry = stored("Cache-Control: max-age=60", *fields, options=WINDOWS)
    assert not reaches_another_client(entry, request(), 1)


@pytest.mark.parametrize("fields", [(), ("Cache-Control: max-age=0",), ("Expires: 0",)])
def test_nothing_is_stored_for_the_windows_alone(fields):
    assert not isinstance(decide(request(), response(*fields), WINDOWS), Store)


@pytest.mark.parametrize("field", ["Cache-Control: max-age=0", "Expires: 0", "Age: 100"])
def test_a_304_that_ends_the_lifetime_ends_the_windows(field):
    entry = stored("Cache-Control: max-age=60", 'ETag: "a"', options=WINDOWS)
    assert reaches_another_client(entry, request(), 100)
    confirmation = response('ETag: "a"', field, status=304)
    if field.startswith("Expires"):
        entry = stored(f"Expires: {date(60)}", 'ETag: "a"', options=WINDOWS)
    refreshed = refresh(entry, request(), confirmation, NOW, NOW, WINDOWS)
    assert refreshed is not None
    assert not reaches_another_client(refreshed.entry, request(), 1)


@pytest.mark.parametrize(
    "fields",
    [
        ("Cache-Control: max-age=0, stale-while-revalidate=30",),
        ("Cache-Control: max-age=5",),
        (f"Last-Modified: {date(-60)}",),
        (f"Expires: {date(5)}",),
    ],
)
def test_response_once_fresh_or_with_a_window_is_reused_stale(fields):
    entry = stored(*fields, 'ETag: "a"', options=WINDOWS)
    assert isinstance(lookup(request(), [entry], NOW + 10, WINDOWS), Stale)


def test_the_routes_own_lifetime_counts_for_its_windows():
    options = CacheOptions(default_ttl=5, stale_while_revalidate=600)
    assert isinstance(lookup(request(), [stored(options=options)], NOW + 10, options), Stale)


FIELDS = st.lists(
    st.sampled_from([*(field for fields in NEVER_FRESH for field in fields), "Age: 60"]), max_size=4
)


@given(FIELDS, st.floats(0, 1000))
def test_response_stale_on_arrival_stays_with_its_client(fields, later):
    decision = decide(request(), response(*fields, 'ETag: "a"'), WINDOWS)
    if isinstance(decision, Store) and decision.ttl <= 0:
        assert not reaches_another_client(decision.entry.filled(b"mine!", 5), request(), later)


def test_windows_in_records_of_an_earlier_version_are_not_believed():
    entry = stored("Cache-Control: max-age=5", options=WINDOWS)
    plain = json.loads(entry.head_bytes())
    assert reaches_another_client(entry_from_bytes(entry.head_bytes()), request(), 10)
    plain["terms"] = plain["terms"][:-1]
    old = entry_from_bytes(json.dumps(plain).encode())
    assert not reaches_another_client(old, request("Cache-Control: max-stale"), 10)
