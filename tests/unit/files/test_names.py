"""Names of files, from paths of requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.files.names import file_name, folder_location, is_hidden


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", b""),
        ("/a", b"a"),
        ("/a/", b"a"),
        ("/a/b%20c", b"a/b c"),
        ("/%C3%A4", "ä".encode()),
        ("/a%252Fb", b"a%2Fb"),
        ("/a;b", b"a;b"),
        ("/...", b"..."),
        ("/a%2Fb", None),
        ("/a%5Cb", None),
        ("/a%00", None),
        ("/%2E%2E/a", None),
        ("/a//b", None),
        ("/./a", None),
        ("a", None),
        ("", None),
        ("*", None),
        ("/" + "a" * 255, b"a" * 255),
        ("/" + "a" * 256, None),
        ("/a" * 2500, None),
    ],
)
def test_a_path_names_at_most_one_file(path, name):
    assert file_name(path) == name


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        (b"", False),
        (b"a.b/c.d", False),
        (b".env", True),
        (b"a/.git/b", True),
        (b".well-known/a", False),
        (b".well-known/.a", True),
        (b"a/.well-known/b", True),
    ],
)
def test_names_that_begin_with_a_dot_are_hidden(name, hidden):
    assert is_hidden(name) is hidden


@given(st.text(alphabet="/.%25cCfF0eE\\a\x00;~", max_size=60))
def test_no_name_climbs_or_holds_a_separator_of_its_own(path):
    name = file_name(path)
    if name:
        segments = name.split(b"/")
        assert not {b"", b".", b".."} & set(segments)
        assert b"\\" not in name
        assert b"\0" not in name
        assert len(segments) <= path.count("/")


@given(st.text(alphabet="/\\ab.%", max_size=20))
def test_a_location_begins_with_one_slash(path):
    location = folder_location(path, "q=1")
    assert location.startswith(b"/")
    assert not location.startswith(b"//") or not path.strip("/")
