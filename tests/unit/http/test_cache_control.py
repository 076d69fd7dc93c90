"""RFC 9111 section 5.2: Cache-Control in the forms that origins really send."""

import pytest

from adc.http.cache_control import MAX_SECONDS, parse_cache_control, split_list


def parse(*lines: bytes):
    return parse_cache_control(lines)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b"max-age=60", 60),
        (b"MAX-AGE=60", 60),
        (b"Max-Age=60", 60),
        (b'max-age="60"', 60),
        (b"  max-age=60  ", 60),
        (b"max-age=0060", 60),
        (b"max-age=0", 0),
        (b",,max-age=60,,", 60),
        (b"foo=bar, max-age=60", 60),
        (b'foo="max-age=1, max-age=2", max-age=60', 60),
        (b'max-age=60, foo="max-age=1"', 60),
        (b'foo="a\\", max-age=1, \\"", max-age=60', 60),
        (b"max-age=2147483648", MAX_SECONDS),
        (b"max-age=99999999999999999999999", MAX_SECONDS),
        (b"max-age=60, max-age=3600", 60),
        (b"max-age=60;foo", 0),
        (b"max-age='60'", 0),
        (b"max-age=-60", 0),
        (b"max-age=+60", 0),
        (b"max-age=60.0", 0),
        (b"max-age=6e1", 0),
        (b"max-age=a60", 0),
        (b"max-age=60a", 0),
        (b"max-age=6 0", 0),
        (b"max-age =60", 0),
        (b"max-age= 60", 0),
        (b"max-age=", 0),
        (b"max-age", 0),
        (b"max-age=\xb2", 0),
        (b"max-age=six, max-age=60", 0),
    ],
)
def test_seconds_of_a_directive(line: bytes, seconds: int) -> None:
    assert parse(line).seconds("max-age") == seconds


@pytest.mark.parametrize(
    "line", [b"", b" , ,", b"s-maxage=60", b'foo="max-age=60"', b"xmax-age=60", b"max_age=60", b"max-age-x=1"]
)
def test_an_absent_directive_has_no_seconds(line: bytes) -> None:
    assert parse(line).seconds("max-age") is None


def test_directives_of_several_lines_are_one_list() -> None:
    control = parse(b"public", b"max-age=5", b"no-transform, max-age=9")
    assert list(control.values) == ["public", "max-age", "no-transform"]
    assert control.seconds("max-age") == 5


def test_an_unterminated_quote_hides_no_later_directive() -> None:
    control = parse(b'foo="bar, no-store, max-age=60')
    assert "no-store" in control


def test_an_unterminated_quote_ends_with_its_line() -> None:
    assert "no-store" in parse(b'foo="bar', b'no-store, x="y"')


@pytest.mark.parametrize(
    "line", [b"no-store =1", b"no-store=foo", b"NO-STORE", b"no-store\t", b'no-store=""']
)
def test_odd_forms_of_no_store_still_forbid(line: bytes) -> None:
    assert "no-store" in parse(line)


def test_listed_fields_of_a_qualified_directive() -> None:
    control = parse(b'private="Set-Cookie, X-User"', b'no-cache="a"')
    assert control.listed == {"private": frozenset({b"set-cookie", b"x-user"}), "no-cache": frozenset({b"a"})}
    assert not control.forbids("private")


@pytest.mark.parametrize(
    "line", [b"private", b'private=""', b'private="a b"', b'private="a", private', b'private, private="a"']
)
def test_private_without_a_readable_list_applies_to_the_whole_response(line: bytes) -> None:
    assert parse(line).forbids("private")


def test_lists_of_a_repeated_qualified_directive_add_up() -> None:
    assert parse(b'no-cache="a"', b'no-cache="b"').listed["no-cache"] == {b"a", b"b"}


def test_hostile_quotes_cost_no_quadratic_time() -> None:
    assert len(split_list(b'"\\' * 200_000)) == 1


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("private; max-age=60", {"private"}),
        ("max-age=60;No-Store", {"no-store"}),
        ("foo=1 no-cache", {"no-cache"}),
        ('"private"', {"private"}),
        ("x-private; y", set()),
        ("private-x y", set()),
        ('foo="private; no-store"', set()),
        ("foo=bar", set()),
    ],
)
def test_words_that_restrict_count_in_malformed_elements(line, found):
    control = parse_cache_control([line.encode()])
    assert {name for name in ("private", "no-store", "no-cache") if control.forbids(name)} == found
