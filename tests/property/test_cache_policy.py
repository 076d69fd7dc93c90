"""Whatever origins and clients send, what must not be reused is not, and keys do not collide."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adc.cache.answer import answer
from adc.cache.directives import response_directives
from adc.cache.keys import KeyRules, primary_key
from adc.cache.options import CacheOptions
from adc.cache.policy import Hit, Revalidate, Stale, lookup
from adc.cache.storable import Store, store
from adc.cache.vary import matches, normal_value
from adc.http.cache_control import CacheControl, parse_cache_control, split_list
from adc.http.headers import Headers
from adc.http.message import Request, Response
from adc.http.ranges import ContentRange, join_bytes, joined

NOW = 1_800_000_000.0
GENEROUS = CacheOptions(
    default_ttl=600,
    negative_ttl=600,
    stale_if_error=600,
    stale_while_revalidate=600,
    cookies_need_public=False,
)

token = st.text("abcdefghijklmnopqrstuvwxyz-_", min_size=1, max_size=8)
argument = st.none() | token | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
junk = st.binary(max_size=40)
piece = st.sampled_from(
    [
        b"max-age=60",
        b"s-maxage=60",
        b"public",
        b"must-revalidate",
        b'x="',
        b'"',
        b"\\",
        b"=",
        b" ",
        b"no-cache",
    ]
) | st.binary(max_size=6)
field = st.tuples(
    st.sampled_from(
        [
            b"Cache-Control",
            b"Expires",
            b"Date",
            b"Age",
            b"ETag",
            b"Last-Modified",
            b"Vary",
            b"Pragma",
            b"Set-Cookie",
        ]
    ),
    junk
    | st.sampled_from([b"max-age=60", b"public, s-maxage=9", b"Thu, 01 Dec 2050 16:00:00 GMT", b"a", b"0"]),
)


def get(*pairs: tuple[bytes, bytes], path: str = "/a", query: str | None = None, host: str = "h") -> Request:
    target = path if query is None else f"{path}?{query}"
    return Request("GET", target, path, query or "", host, host, Headers(pairs))


def decide(asked: Request, response: Response, options: CacheOptions = GENEROUS):
    return store(primary_key(asked, options.key), asked, response, NOW, NOW, options)


@given(st.lists(st.lists(piece, max_size=12).map(b"".join), max_size=3))
def test_any_cache_control_is_read(lines: list[bytes]) -> None:
    control = parse_cache_control(lines)
    for name in control.values:
        assert name == name.lower()
        assert 0 <= (control.seconds(name) or 0) <= 2**31


@given(st.dictionaries(token, argument, max_size=6))
def test_cache_control_survives_being_written_and_read(values: dict[str, str | None]) -> None:
    assert parse_cache_control([str(CacheControl(values)).encode()]).values == values


@given(st.lists(piece, max_size=12).map(b"".join))
def test_dividing_a_list_loses_no_directive_outside_quotes(line: bytes) -> None:
    assert "no-store" in parse_cache_control([b"no-store," + line])
    if b'"' not in line:
        assert split_list(line) == [part.strip(b" \t") for part in line.split(b",") if part.strip(b" \t")]


@given(
    st.lists(field, max_size=6),
    st.sampled_from([b"no-store", b"private", b"No-Store", b"PRIVATE=", b"no-store=1"]),
    st.integers(0, 6),
    st.sampled_from([200, 203, 206, 301, 404, 500]),
)
def test_a_response_marked_no_store_or_private_is_never_stored(
    fields: list[tuple[bytes, bytes]], mark: bytes, at: int, status: int
) -> None:
    fields.insert(min(at, len(fields)), (b"Cache-Control", mark))
    response = Response(status, Headers(fields), b"", 5)
    assert not isinstance(decide(get(), response), Store)


lifetimes = st.sampled_from([b"max-age=60", b"max-age=60, must-revalidate", b"max-age=60, stale-if-error=9"])
ages = st.sampled_from([0.0, 59.5, 60.5, 300.0, 659.5, 660.5]) | st.floats(0, 10_000)


@given(st.lists(field, max_size=6), lifetimes, st.lists(field, max_size=3), ages)
@example([], b"max-age=60", [], 300.0)
@example([(b"ETag", b'"a"')], b"max-age=60, must-revalidate", [], 300.0)
@example([(b"ETag", b'"a"')], b"max-age=60, must-revalidate", [(b"Cache-Control", b"max-age=5")], 10.0)
def test_reuse_without_validation_is_fresh_or_allowed(
    fields: list[tuple[bytes, bytes]], lifetime: bytes, wishes: list[tuple[bytes, bytes]], later: float
) -> None:
    fields.append((b"Cache-Control", lifetime))
    decision = decide(get(), Response(200, Headers(fields), b"", 5))
    if not isinstance(decision, Store):
        return
    entry = decision.entry.filled(b"hello", 5)
    asked = get(*wishes)
    found = lookup(asked, [entry], NOW + later, GENEROUS)
    control = response_directives(Headers(fields), GENEROUS.targeted).control
    if isinstance(found, Hit | Stale):
        assert not control.forbids("no-cache")
        assert matches(entry.varying, asked.headers)
    if isinstance(found, Hit) and not found.detail:
        assert entry.terms.freshness(NOW + later) > 0
    if isinstance(found, Stale):
        assert "must-revalidate" not in control
        assert -entry.terms.freshness(NOW + later) <= 600
    if isinstance(found, Revalidate) and "must-revalidate" in control:
        assert not found.if_error


@given(
    st.lists(
        st.tuples(st.sampled_from([b"Range", b"If-Range", b"If-None-Match", b"If-Modified-Since"]), junk)
    )
)
def test_any_condition_or_range_gets_a_whole_answer(wishes: list[tuple[bytes, bytes]]) -> None:
    decision = decide(
        get(), Response(200, Headers([(b"Cache-Control", b"max-age=9"), (b"ETag", b'"a"')]), b"", 5)
    )
    assert isinstance(decision, Store)
    found = answer(get(*wishes), decision.entry.filled(b"hello", 5), NOW, b"B")
    assert found.status in (200, 206, 304, 416)
    if found.span is not None:
        assert 0 <= found.span.first <= found.span.last < 5
        assert found.length == found.span.length


part = st.text("ab=&;?/%h:.0", max_size=6)
texts = st.tuples(
    part, st.none() | part, st.text("abc.:", min_size=1, max_size=4), st.none() | part, st.none() | part
)


@given(texts, texts)
@example(("", None, "a", "1:b;", None), ("", None, "a", "1", "b"))
def test_two_requests_share_a_key_only_if_all_its_parts_agree(one: tuple, other: tuple) -> None:
    rules = KeyRules(headers=(b"h",), cookies=(b"c",))

    def parts(item: tuple) -> tuple[Request, tuple]:
        path, query, host, header, cookie = item
        path, cookie = "/" + path.replace("?", ""), None if cookie is None else cookie.replace(";", "")
        pairs = [(b"H", header.encode())] if header is not None else []
        pairs += [(b"Cookie", b"c=" + cookie.encode())] if cookie is not None else []
        host = host.removesuffix(":80")
        return get(*pairs, path=path, query=query, host=host), (path, query, host, header, cookie)

    (left, left_parts), (right, right_parts) = parts(one), parts(other)
    assert (primary_key(left, rules) == primary_key(right, rules)) == (left_parts == right_parts)


@given(st.sampled_from([b"accept", b"accept-encoding", b"x"]), st.lists(junk, max_size=3))
def test_normal_values_are_stable(name: bytes, lines: list[bytes]) -> None:
    value = normal_value(name, lines)
    assert (value is None) == (not lines)
    if value is not None:
        assert normal_value(name, [value]) == value


spans = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)


@given(spans, spans)
def test_joined_parts_have_the_bytes_of_the_whole(one: list[int], other: list[int]) -> None:
    whole = bytes(range(21))
    left, right = ContentRange(*one, 21), ContentRange(*other, 21)
    both = joined(left, right)
    if both is None:
        assert left.last + 1 < right.first or right.last + 1 < left.first
        return
    text = join_bytes(left, whole[one[0] : one[1] + 1], right, whole[other[0] : other[1] + 1])
    assert text == whole[both.first : both.last + 1]


@pytest.mark.parametrize("accept", [b"gzip;q=0.1234", b"a;q=\xff"])
def test_odd_weights_are_kept_apart(accept: bytes) -> None:
    assert normal_value(b"accept-encoding", [accept]) != normal_value(
        b"accept-encoding", [accept.partition(b";")[0]]
    )
