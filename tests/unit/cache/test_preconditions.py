"""RFC 9110 section 13: conditions that a cache evaluates, whatever a client writes into them."""

import time

import pytest

from adc.cache.vary import normal_value
from adc.http.preconditions import none_match_fails


@pytest.mark.parametrize(
    "value",
    [
        b'"a"',
        b'W/"a"',
        b'"x", "a"',
        b'"x" , \t"a" ,',
        b',, "x","a"',
        b'"x,y", "a"',
        b'x y, "a"',
        b'"x" y, "a"',
        b'"x,"a, "a"',
        b"*",
        b" * ",
    ],
)
def test_a_list_that_names_the_tag_fails_the_condition(value):
    assert none_match_fails(value, b'"a"')


@pytest.mark.parametrize("value", [b"", b",", b"a", b'"x"', b'"a" b', b'"', b'"a'])
def test_a_list_that_does_not_name_the_tag(value):
    assert not none_match_fails(value, b'"a"')


@pytest.mark.parametrize("start", [b"a", b'"', b'"x"', b"", b'W/"x" "'])
@pytest.mark.parametrize("end", [b"b", b'"', b"b,"])
def test_a_long_run_of_spaces_costs_no_more_than_its_length(start, end):
    value = start + b" " * 30_000 + end
    began = time.process_time()
    none_match_fails(value, b'"a"')
    normal_value(b"x-user", [value])
    assert time.process_time() - began < 0.1
