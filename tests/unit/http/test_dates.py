from __future__ import annotations

import pytest

from adc.http.dates import http_date, parse_http_date

NOW = 1790000000.0  # 2026
EXAMPLE = 784111777


@pytest.mark.parametrize(
    "value",
    [
        b"Sun, 06 Nov 1994 08:49:37 GMT",
        b"Sunday, 06-Nov-94 08:49:37 GMT",
        b"Sun Nov  6 08:49:37 1994",
        b"SUN, 06 nov 1994 08:49:37 gmt",
    ],
)
def test_the_three_forms_name_the_same_second(value: bytes) -> None:
    assert parse_http_date(value, NOW) == EXAMPLE


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 0),
        (b"Wed, 31 Dec 1969 23:59:59 GMT", -1),
        (b"Thu, 29 Feb 2024 12:00:00 GMT", 1709208000),
        (b"Thu, 18 Aug 2050 02:01:18 GMT", 2544400878),
        (b"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800),
        (b"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799),
        (b"Sat Nov 12 00:00:00 1994", 784598400),
    ],
)
def test_dates_far_and_odd(value: bytes, seconds: int) -> None:
    assert parse_http_date(value, NOW) == seconds


@pytest.mark.parametrize(
    ("year", "meant"), [(b"26", 2026), (b"50", 2050), (b"76", 2076), (b"77", 1977), (b"99", 1999)]
)
def test_a_two_digit_year_is_at_most_fifty_years_ahead(year: bytes, meant: int) -> None:
    assert parse_http_date(b"Monday, 01-Jun-" + year + b" 00:00:00 GMT", NOW) == parse_http_date(
        f"Mon, 01 Jun {meant} 00:00:00 GMT".encode(), NOW
    )


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"0",
        b"-1",
        b"Sun, 06 Nov 1994 08:49:37",
        b"Sun, 06 Nov 1994 08:49:37 UTC",
        b"Sun, 06 Nov 1994 08:49:37 +0000",
        b"Sun, 6 Nov 1994 08:49:37 GMT",
        b"Sun, 06 Nov 94 08:49:37 GMT",
        b"Sun 06 Nov 1994 08:49:37 GMT",
        b"Sun, 06-Nov-1994 08:49:37 GMT",
        b"Sun, 06  Nov 1994 08:49:37 GMT",
        b"Sun, 06 Nov 1994 8:49:37 GMT",
        b"Sun, 06 Nov 1994 08.49.37 GMT",
        b"Sun, 06 Nov 1994 24:00:00 GMT",
        b"Sun, 06 Nov 1994 08:60:00 GMT",
        b"Sun, 06 Nov 1994 08:00:61 GMT",
        b"Sun, 31 Nov 1994 08:49:37 GMT",
        b"Sun, 00 Nov 1994 08:49:37 GMT",
        b"Thu, 29 Feb 2023 12:00:00 GMT",
        b"Sun, 06 Nov 0000 08:49:37 GMT",
        b"Xyz, 06 Nov 1994 08:49:37 GMT",
        b"Sun, 06 Nov 1994 08:49:37 GMT ",
        b"Sun, 06 Nov 1994 08:49:37 GMT\n",
        b"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        b"Sun, 06-Nov-94 08:49:37 GMT",
        b"Sun Nov 6 08:49:37 1994",
        b"Sun, \xd9\xa0\xd9\xa6 Nov 1994 08:49:37 GMT",
    ],
)
def test_text_in_no_date_form_is_no_date(value: bytes) -> None:
    assert parse_http_date(value, NOW) is None


def test_dates_are_written_as_imf_fixdate_with_fractions_cut() -> None:
    assert http_date(EXAMPLE + 0.999) == b"Sun, 06 Nov 1994 08:49:37 GMT"
    assert http_date(EXAMPLE + 1.0) == b"Sun, 06 Nov 1994 08:49:38 GMT"
