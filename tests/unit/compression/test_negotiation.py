"""Accept-Encoding (RFC 9110 section 12.5.3)."""

import pytest

from adc.compression.negotiation import accepts, negotiate

OURS = ("zstd", "br", "gzip")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, None),
        (b"", None),
        (b"gzip", "gzip"),
        (b"GZip", "gzip"),
        (b"x-gzip", "gzip"),
        (b"gzip, deflate, br, zstd", "zstd"),
        (b"gzip, deflate, br", "br"),
        (b"br;q=0.5, gzip;q=0.8", "gzip"),
        (b"br;q=0.5,gzip;q=0.5", "br"),
        (b"gzip;q=0", None),
        (b"*", "zstd"),
        (b"zstd;q=0, *", "br"),
        (b"*;q=0, gzip", "gzip"),
        (b"gzip;q=0, *;q=0", None),
        (b"identity", None),
        (b"identity, gzip;q=0.5", None),
        (b"identity;q=0.5, gzip", "gzip"),
        (b"identity, gzip", "gzip"),
        (b"identity;q=0", None),
        (b"identity;q=0, gzip;q=0.001", "gzip"),
        (b"identity;q=0, *;q=0", None),
        (b"deflate, compress", None),
        (b"gzip;q=2", None),
        (b"gzip;q=-1, br;q=nan", None),
        (b"gzip, gzip;q=0", None),
        (b"x-gzip;q=0, gzip", None),
        (b", ,gzip,,", "gzip"),
    ],
)
def test_the_best_rated_coding_is_chosen_and_ours_first_among_equals(accept, chosen):
    assert negotiate(accept, OURS) == chosen


def test_a_coding_that_is_not_offered_is_never_chosen():
    assert negotiate(b"zstd, br;q=0.9, gzip;q=0.1", ("gzip",)) == "gzip"
    assert negotiate(b"zstd", ("gzip",)) is None


def test_long_values_are_read_like_short_ones():
    assert negotiate(b"unknown;q=0.5, " * 20 + b"gzip", OURS) == "gzip"


@pytest.mark.parametrize(
    ("accept", "coding", "taken"),
    [
        (None, "gzip", False),
        (b"gzip", "x-gzip", True),
        (b"*", "br", True),
        (b"*, br;q=0", "br", False),
        (b"gzip", "br", False),
    ],
)
def test_whether_a_client_takes_a_coding(accept, coding, taken):
    assert accepts(accept, coding) is taken
