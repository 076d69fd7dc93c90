"""RFC 9110 section 5.6.1 in the fields that a cache reads: several lines are one list, empty elements count for
nothing, letter case and blanks do not matter; what is read is bounded."""

import pytest

from adc.cache.answer import answer
from adc.cache.freshness import age_value
from adc.cache.policy import Hit, Miss, Revalidate, lookup
from adc.cache.storable import Pass, Store
from adc.cache.vary import vary_names
from adc.http.cache_control import MAX_BYTES, MAX_DIRECTIVES, OVERLONG, parse_cache_control, split_list
from adc.http.preconditions import MAX_TAGS, none_match_fails
from adc.http.ranges import MAX_RANGES, ByteRange, ContentRange, parse_range, within
from tests.unit.cache.messages import NOW, OPTIONS, decide, lines, request, response, stored

FRESH = ("Cache-Control: max-age=60", 'ETag: "a"')


@pytest.mark.parametrize(
    "fields",
    [
        ("Cache-Control: public", "Cache-Control: no-store"),
        ("Cache-Control: ,, \t,", "cache-control: ,No-Store ,"),
        ("Cache-Control:max-age=60,\tNO-STORE",),
        ("Cache-Control: max-age=60", "Cache-Control:", "Cache-Control: PRIVATE"),
    ],
)
def test_cache_control_of_a_response_is_one_list(fields):
    assert isinstance(decide(request(), response(*fields)), Pass)


@pytest.mark.parametrize(
    "fields",
    [
        ("Cache-Control: foo", "Cache-Control: No-Cache"),
        ("Cache-Control: , ,no-cache,",),
        ("Pragma: foo", "Pragma: ,NO-CACHE ,"),
        ("Pragma: no-cache, foo",),
        ("Cache-Control: ,", "Pragma: no-cache"),
    ],
)
def test_cache_control_and_pragma_of_a_request_are_one_list(fields):
    assert isinstance(lookup(request(*fields), [stored(*FRESH)], NOW + 1, OPTIONS), Revalidate)


@pytest.mark.parametrize("fields", [("Cache-Control: ,",), ("Cache-Control:", "Pragma:")])
def test_empty_cache_control_of_a_request_asks_for_nothing(fields):
    assert isinstance(lookup(request(*fields), [stored(*FRESH)], NOW + 1, OPTIONS), Hit)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (("Vary: ,A , \t,b,", "vary: ,a"), (b"a", b"b")),
        (("Vary:", "Vary: COOKIE"), (b"cookie",)),
        (("Vary: a, *",), None),
        (("Vary: a", "Vary: ,*,"), None),
    ],
)
def test_vary_is_one_list(fields, names):
    assert vary_names(lines(fields)) == names


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        (("X: a", "X: b"), ("X: a,b",)),
        (("X: a, ,", "X: , b"), ("X: a\t,b",)),
        (('X: "a, b"', "X: c"), ('X: "a, b",c',)),
        (("Accept-Encoding: GZIP", "Accept-Encoding: ,br"), ("Accept-Encoding: br, gzip",)),
    ],
)
def test_lists_that_are_equal_choose_the_same_variant(asked, other):
    entry = stored(*FRESH, "Vary: X, Accept-Encoding", asked=request(*asked))
    assert isinstance(lookup(request(*other), [entry], NOW + 1, OPTIONS), Hit)


@pytest.mark.parametrize(
    "fields",
    [
        ('If-None-Match: "x"', 'If-None-Match: "a"'),
        ('If-None-Match: ,, "a" ,',),
        ("If-None-Match: ,", "If-None-Match: *"),
        ('If-None-Match: "x,y" ,W/"a"',),
    ],
)
def test_if_none_match_is_one_list(fields):
    assert answer(request(*fields), stored(*FRESH), NOW, b"b").status == 304


@pytest.mark.parametrize("fields", [("If-Match:",), ("If-Match: ,", 'if-match: "a"')])
def test_if_match_is_left_to_the_origin(fields):
    assert isinstance(lookup(request(*fields), [stored(*FRESH)], NOW, OPTIONS), Miss)


@pytest.mark.parametrize(
    "fields", [("Range: ,",), ("Range: bytes=,",), ("Range: bytes=0-1", "Range: bytes=2-3")]
)
def test_range_that_is_no_range_gets_the_whole(fields):
    assert answer(request(*fields), stored(*FRESH), NOW, b"b").status == 200


@pytest.mark.parametrize("fields", [("Range: Bytes = ,1-2 ,\t,",), ("Range: bytes=1-2", "Range: ,")])
def test_range_is_one_list(fields):
    found = answer(request(*fields), stored(*FRESH), NOW, b"b")
    assert (found.status, found.span) == (206, ByteRange(1, 2))


@pytest.mark.parametrize("asked", [b"bytes=2-,", b"bytes=,2- ,", b"bytes=-2,", b"bytes=2-9", b"bytes=,"])
def test_open_range_does_not_lie_within_a_part_of_unknown_whole(asked):
    assert within(ContentRange(1, 5, None), asked) is None


def test_closed_range_with_empty_elements_lies_within_a_part():
    assert within(ContentRange(1, 5, None), b"bytes=,2-3 ,") == ByteRange(2, 3)


@pytest.mark.parametrize(
    ("fields", "age"), [(("Age: ,7, 9",), 7), (("Age:", "Age: 7"), 7), (("Age: x, 7",), 0), ((), 0)]
)
def test_age_is_the_first_of_its_list(fields, age):
    assert age_value(lines(fields)) == age


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (("X-Forwarded-Host: example.com, ,EXAMPLE.com",), True),
        (("X-Forwarded-Host: evil", "X-Forwarded-Host: example.com"), False),
        (("X-Forwarded-Host: example.com, evil",), False),
    ],
)
def test_every_claimed_host_counts(fields, kept):
    assert isinstance(decide(request(*fields), response(*FRESH)), Store) is kept


@pytest.mark.parametrize(
    "value",
    [
        b"a," * (MAX_DIRECTIVES + 1),
        b'a="' + b"x" * MAX_BYTES + b'"',
        b"," * (MAX_BYTES + 1),
        b'"' * (MAX_BYTES + 1),
    ],
)
def test_field_with_too_many_directives_restricts_most(value):
    assert parse_cache_control([b"max-age=60, public, " + value]) is OVERLONG
    control = value.decode()
    assert isinstance(decide(request(), response(f"Cache-Control: max-age=60, {control}")), Pass)
    assert isinstance(decide(request(), response(f"CDN-Cache-Control: max-age=60, {control}")), Pass)


def test_long_list_of_entity_tags_is_read_so_far_only():
    assert none_match_fails(b'"x",' * (MAX_TAGS - 1) + b'"a"', b'"a"')
    assert not none_match_fails(b'"x",' * MAX_TAGS + b'"a"', b'"a"')


def test_more_ranges_than_allowed_are_ignored():
    assert (
        parse_range(b"bytes=" + b",".join(b"%d-%d" % (2 * n, 2 * n) for n in range(MAX_RANGES + 1)), 99)
        is None
    )


@pytest.mark.parametrize(
    ("line", "most", "items"),
    [
        (b" a ,\t, b,", 5, [b"a", b"b"]),
        (b"a,b,c", 2, [b"a", b"b"]),
        (b'"a,b" , c', 5, [b'"a,b"', b"c"]),
        (b'x="a,b",",c", d', 5, [b'x="a,b"', b'",c"', b"d"]),
        (b'a,"b,c', 5, [b"a", b'"b', b"c"]),
        (b'"a,"b,"c', 5, [b'"a,"b', b'"c']),
        (b'a="\\",b', 5, [b'a="\\"', b"b"]),
    ],
)
def test_list_is_divided_at_commas_outside_quoted_strings(line, most, items):
    assert split_list(line, most) == items
