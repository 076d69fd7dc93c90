"""RFC 9211: Cache-Status."""

from adc.cache.status import forwarded, hit, refused
from adc.http.structured import parse_dictionary


def test_a_hit_tells_the_freshness_left() -> None:
    assert hit("adc", 59.7) == b"adc;hit;ttl=60"  # Age is 0: both add up to the lifetime
    assert hit("adc", 60.0) == b"adc;hit;ttl=60"
    assert hit("adc", 0.1) == b"adc;hit;ttl=1"
    assert hit("adc", -0.5, "stale") == b'adc;hit;ttl=-1;detail="stale"'


def test_a_forwarded_request_tells_why_and_what_became_of_it() -> None:
    assert forwarded("adc", "uri-miss") == b"adc;fwd=uri-miss"
    assert (
        forwarded("adc", "stale", status=200, stored=True, collapsed=True, ttl=60, detail="x")
        == b'adc;fwd=stale;fwd-status=200;stored;collapsed;ttl=60;detail="x"'
    )


def test_any_detail_stays_within_the_grammar() -> None:
    text = refused("adc", 'a "b" \\ \r\n \u20ac' + "x" * 1000)
    assert parse_dictionary([text]) == {"adc": True}
    assert len(text) < 200
