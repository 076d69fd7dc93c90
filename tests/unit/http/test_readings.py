"""What other software may take a path for."""

import pytest

from adc.http.readings import MOST, UnsafeReadings, readings
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
    "//x/admin/",
    "///x/admin/",
    "//x:80//admin/",
    "//a@b/admin/",
    "/%2fx/admin/",
    "/%5cx/admin/",
    "/%5c%5cx/admin/",
    "/%252f/x/admin/",
    "/admin%c2%a0/",
    "/admin%e3%80%80/",
    "/%e2%80%89admin/",
    "/admin%e2%80%8b/",
    "/ad%c2%admin/",
    "/%ef%bb%bfadmin/",
    "/%e2%93%90dmin/",
    "/%c2%aadmin/",
    "/%f0%9d%93%aadmin/",
    "/%ef%b9%a8admin/",
    "/x/%e2%80%a5/admin/",
    "/x/%ef%b9%92%ef%b9%92/admin/",
    "/admin%e2%81%84",
    "/admin%e2%88%95x",
    "/admin%e2%82%a9x",
    "/admin%cd%be/",
    "/%f8%80%80%80%afadmin/",
    "/%fc%80%80%80%80%afadmin/",
    "/admin::$INDEX_ALLOCATION/x",
    "/admin:$I30:$INDEX_ALLOCATION/x",
    "/admin%3a:%24INDEX_ALLOCATION/",
    "/(S(x))/admin/",
    "/(A(x)F(y))/admin/x",
    "/ad(S(x))min/",
    "/admin+/",
    "/++admin/",
    "/admin%20+/",
]


@pytest.mark.parametrize("path", HIDDEN)
def test_a_hidden_path_is_among_the_readings(path):
    try:
        normal = normalise_path(path)
    except ValueError:
        return  # refused anyway
    assert any(reading.startswith("/admin/") for reading in readings(path, normal))
    assert not split_target(path).plain


@pytest.mark.parametrize("path", ["/admin/.", "/admin/x/..", "/x/../admin/.", "/admin%2f."])
def test_a_path_that_ends_in_dots_is_read_without_the_closing_slash(path):
    assert "/admin" in readings(path, path)


@pytest.mark.parametrize(
    "path", ["/%252e%252e/x", "/x/%252e%252e/%252e%252e/y", "/x%5c..%5c..%5cy", "/%ef%bc%8e./x"]
)
def test_a_path_that_can_be_read_as_climbing_above_the_root_is_given_up(path):
    with pytest.raises(UnsafeReadings, match="climbs above the root"):
        list(readings(path, path))


@pytest.mark.parametrize("path", ["/p/%252e%252e/x", "/p/..%2fx", "//p/x"])
def test_a_path_that_can_be_read_as_outside_of_the_stripped_prefix_is_given_up(path):
    with pytest.raises(UnsafeReadings, match="out of /p"):
        list(readings(path, "/p/" + path.rpartition("/")[2], "/p"))


@pytest.mark.parametrize("path", ["/p//x/admin/", "/p/%2fx/admin/", "/p/%5cx/admin/"])
def test_rest_after_a_stripped_prefix_is_read_as_a_host(path):
    assert "/p/admin/" in readings(path, normalise_path(path), "/p")
    assert "/p/admin/" not in readings(path, normalise_path(path))


@pytest.mark.parametrize(
    "path",
    [
        "/a+b/C+x/f(x)",
        "/wiki/Foo_(film)",
        "/caf%C3%A9/%ED%95%9C%EA%B8%80/%E6%97%A5%E6%9C%AC/%D0%B8%D1%8F/%D8%B9/%E1%BA%BF",
        "/%F0%9F%98%80",
        "/x:y@z/$metadata",
    ],
)
def test_an_ordinary_name_has_one_reading(path):
    assert list(readings(path, path)) == [path]


def test_dots_count_with_and_without_merged_slashes():
    assert {"/x/admin", "/admin"} <= set(readings("/x//../admin", "/admin"))


def test_an_ordinary_path_has_one_reading():
    assert list(readings("/a/b.c/~d", "/a/b.c/~d")) == ["/a/b.c/~d"]


def test_readings_are_written_as_rules_are():
    assert set(readings("/a%20b/%C3%A9%2Fc", "/a%20b/%C3%A9%2Fc")) == {"/a%20b/%C3%A9%2Fc", "/a%20b/%C3%A9/c"}


def test_a_path_with_too_many_readings_is_given_up():
    text = "/a%2525252525252f;b%25255c%2520.%2500//..;c/./d%253f%2523" * 4
    with pytest.raises(UnsafeReadings):
        list(readings(text, text))
    with pytest.raises(UnsafeReadings):
        list(readings("/%" + "25" * 3000 + "41", "/%" + "25" * 3000 + "41"))
    assert len(list(readings("/a%2Fb;c//d%20/e", "/a%2Fb;c/d%20/e"))) < MOST
