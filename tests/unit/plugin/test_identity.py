"""Fields that tell members who the client is."""

from __future__ import annotations

import pytest

from adc.plugin import Headers, IdentityFields, field_value


@pytest.mark.parametrize("spoofed", [b"X-User", b"x-user", b"X_User", b"X.USER", b"x_user"])
def test_fields_of_the_client_are_replaced_in_each_spelling(spoofed: bytes) -> None:
    headers = Headers([(b"Host", b"a"), (spoofed, b"root"), (b"X-Other", b"1")])
    IdentityFields(["X-User"]).write(headers, [(b"X-User", b"alice")])
    assert headers.pairs == [(b"Host", b"a"), (b"X-Other", b"1"), (b"X-User", b"alice")]


def test_other_fields_stay() -> None:
    headers = Headers([(b"X-User1", b"1"), (b"X-Uses", b"2")])
    IdentityFields(["X-User"]).clear(headers)
    assert len(headers) == 2


@pytest.mark.parametrize("name", ["", "X User", "X:1", "X\r\nY", "Host", "Content-Length", "Connection"])
def test_name_that_no_plugin_may_write_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a field"):
        IdentityFields([name])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("alice", b"alice"),
        ("Zoë", "Zoë".encode()),
        (" a ", b"a"),
        ("a\r\nX: 1", None),
        ("a\x85b", None),
        ("\ud800", None),
    ],
)
def test_text_with_control_characters_is_no_field_value(text: str, value: bytes | None) -> None:
    assert field_value(text) == value
