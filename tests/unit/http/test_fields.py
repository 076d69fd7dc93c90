"""Which fields belong to a connection, and the fixed table that finds them."""

import sys

import pytest

from adc.http import fields
from adc.http.fields import divide


@pytest.mark.parametrize("spelling", [b"Connection", b"connection", b"CONNECTION", b"cOnnection"])
def test_special_names_are_found_however_they_are_spelled(spelling):
    assert divide([(spelling, b"close"), (b"Accept", b"*/*")]) == (
        [(b"Accept", b"*/*")],
        {b"connection": b"close"},
        False,
    )


@pytest.mark.parametrize("name", [b"transfer_encoding", b"Content_Length", b"TE", b"KEEP_ALIVE"])
def test_special_names_in_disguise_are_dropped(name):
    assert divide([(name, b"x")])[0] == []


@pytest.mark.parametrize("name", [b"X-Real-IP", b"x-real-ip", b"X-REAL-IP"])
def test_spoofable_names_are_kept_and_reported(name):
    assert divide([(name, b"x")]) == ([(name, b"x")], {}, True)


def test_strangers_cannot_fill_the_table_of_spellings():
    before = len(fields._SPELLED)
    size = sys.getsizeof(fields._SPELLED)
    for number in range(5000):
        divide([(b"X-%d" % number, b"x"), (b"%d_connection" % number, b"x")])
    assert (len(fields._SPELLED), sys.getsizeof(fields._SPELLED)) == (before, size)


def test_usual_spellings_are_in_the_table():
    usual = (
        b"Host",
        b"host",
        b"User-Agent",
        b"user-agent",
        b"Sec-Fetch-Mode",
        b"sec-ch-ua",
        b"Accept",
        b"ETag",
        b"Etag",
    )
    assert set(usual) <= set(fields._SPELLED)
    assert all(fields._SPELLED[name] == fields.classify(name) for name in fields._SPELLED)
