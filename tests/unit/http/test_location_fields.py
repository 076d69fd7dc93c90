from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.http.headers import Headers
from adc.http.location_fields import LocationEdits, edit_links, edit_refresh, has_locations


def shout(value: bytes) -> bytes:
    return value.upper()


@pytest.mark.parametrize(
    ("value", "edited"),
    [
        (b"5; url=/a", b"5; url=/A"),
        (b"0;URL='/a'; x", b"0;URL='/A'; x"),
        (b'0, url = "/a', b'0, url = "/A'),
        (b"3;/a", b"3;/A"),
        (b"5", b"5"),
        (b"5; url=", b"5; url="),
        (b"a; url=/a", b"a; url=/a"),
    ],
)
def test_reference_of_refresh_is_edited(value: bytes, edited: bytes) -> None:
    assert edit_refresh(value, shout) == edited


@pytest.mark.parametrize(
    ("value", "edited"),
    [
        (b"</a>; rel=next, </b>", b"</A>; rel=next, </B>"),
        (b'</a>; title="<b>, \\"<c>"; rel=x', b'</A>; title="<b>, \\"<c>"; rel=x'),
        (b'</a>; title="<b', b'</A>; title="<b'),
    ],
)
def test_targets_of_links_are_edited_and_quoted_text_is_not(value: bytes, edited: bytes) -> None:
    assert edit_links(value, shout) == edited


@given(st.binary())
def test_unedited_values_stay_byte_for_byte(value: bytes) -> None:
    assert edit_links(value, bytes) == value
    assert edit_refresh(value, bytes) == value


def test_every_line_is_edited_in_its_place() -> None:
    headers = Headers(
        [
            (b"Set-Cookie", b"a=/p; Path=/p; Secure"),
            (b"X-Other", b"/p"),
            (b"LOCATION", b"/p"),
            (b"set-cookie", b"b=1; domain=d; path=/p"),
        ]
    )
    LocationEdits(shout, lambda name, path: name + path, lambda domain: b"").apply(headers)
    assert headers.pairs == [
        (b"Set-Cookie", b"a=/p; Path=a/p; Secure"),
        (b"X-Other", b"/p"),
        (b"LOCATION", b"/P"),
        (b"set-cookie", b"b=1; path=b/p"),
    ]
    assert headers.get(b"location") == b"/P"


@pytest.mark.parametrize("name", [b"Location", b"content-location", b"Refresh", b"Link", b"Set-Cookie"])
def test_fields_with_references_are_found(name: bytes) -> None:
    assert has_locations(Headers([(name, b"x")]))
    assert not has_locations(Headers([(b"x-" + name, b"x")]))
