"""What other software may take a path for."""

import pytest

from adc.http.readings import MOST, TooManyReadings, readings
from adc.http.target import normalise_path, split_target

HIDDEN = [
    "/%2fadmin/x",
    "/admin%2f",
    "/admin%2fx",
    "/admin/%2e%2fx",
    "/admin;x/",
    "/;/admin/",
    "/;a=b/admin/x",
    "/%3b/admin/",
    "/admin%3bx/",
    "/admin%3b/",
    "/%5cadmin/",
    "/admin%5cx",
    "/x%5c..%5c../admin/",
    "/%2561dmin/",
    "/%252561dmin/",
    "/x/%252e%252e/admin/",
    "/x/..%252fadmin/",
    "/admin%20/",
    "/admin%09/x",
    "/admin%0a/",
    "/admin%2500/",
    "/ad%0amin/",
    "/admin./x",
    "/admin.../x",
    "/admin%20./x",
    "/%20admin/",
    "/admin%c0%af",
    "/%c1%a1dmin/",
    "/%e0%81%a1dmin/",
    "/%ef%bd%81dmin/",
    "/%EF%BC%8Fadmin/",
    "/x/%c0%ae%c0%ae/admin/",
    "/x//../../admin/",
    "/admin/%3f",
    "/admin/%23x",
    "/admin%2f%3fx",
    "/a%2fb/../%2561dmin/",
    "/a;%2fb/../admin/",
    "//admin/",
    "/./admin/",
    "/%61dmin/",
]


@pytest.mark.parametrize("path", HIDDEN)
def test_a_hidden_path_is_among_the_readings(path):
    try:
        normal = normalise_path(path)
    except ValueError:
        return  # refused anyway
    assert any(reading.startswith("/admin/") for reading in readings(path, normal))
    assert not split_target(path).plain


def test_dots_count_with_and_without_merged_slashes():
    assert {"/x/admin", "/admin"} <= set(readings("/x//../admin", "/admin"))


def test_an_ordinary_path_has_one_reading():
    assert list(readings("/a/b.c/~d", "/a/b.c/~d")) == ["/a/b.c/~d"]


def test_readings_are_written_as_rules_are():
    assert set(readings("/a%20b/%C3%A9%2Fc", "/a%20b/%C3%A9%2Fc")) == {"/a%20b/%C3%A9%2Fc", "/a%20b/%C3%A9/c"}


def test_a_path_with_too_many_readings_is_given_up():
    text = "/a%2525252525252f;b%25255c%2520.%2500//..;c/./d%253f%2523" * 4
    with pytest.raises(TooManyReadings):
        list(readings(text, text))
    with pytest.raises(TooManyReadings):
        list(readings("/%" + "25" * 3000 + "41", "/%" + "25" * 3000 + "41"))
    assert len(list(readings("/a%2Fb;c//d%20/e", "/a%2Fb;c/d%20/e"))) < MOST
