"""Reading the Authorization field."""

from __future__ import annotations

import base64

import pytest
from adc_plugins.basic_auth.credentials import challenge, parse_credentials
from hypothesis import given
from hypothesis import strategies as st


def field(data: bytes, scheme: bytes = b"Basic") -> bytes:
    return scheme + b" " + base64.b64encode(data)


@pytest.mark.parametrize(
    ("data", "name", "password"),
    [
        (b"alice:secret", "alice", b"secret"),
        (b"alice:a:b", "alice", b"a:b"),
        (b"alice:", "alice", b""),
        ("Zo\xeb:p\xe4ss".encode(), "Zo\xeb", "p\xe4ss".encode()),
        ("Zo\xeb:p\xe4ss".encode("latin-1"), "Zo\xeb", "p\xe4ss".encode()),
        (b"Zoe\xcc\x88:x", "Zo\xeb", b"x"),
    ],
)
def test_name_and_password_are_decoded(data: bytes, name: str, password: bytes) -> None:
    assert parse_credentials(field(data)) == (name, password)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"Basic",
        b"Basic ",
        b"Basic =",
        b"Bearer abc",
        field(b"alice"),
        field(b"a\x00b:c"),
        field(b"a:b\nc"),
        b"Basic YWxpY2U6c2VjcmV0 x",
        b"Basic YWxpY2U6c2VjcmV",
        field(b"a:" + b"x" * 4000),
    ],
)
def test_malformed_field_is_none(value: bytes) -> None:
    assert parse_credentials(value) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_credentials_or_none(data: bytes) -> None:
    for value in (data, b"Basic " + data, field(data)):
        parse_credentials(value)


def test_credentials_do_not_show_themselves() -> None:
    assert "secret" not in repr(parse_credentials(field(b"alice:secret")))


def test_realm_is_quoted() -> None:
    assert challenge('a "b" \\') == 'Basic realm="a \\"b\\" \\\\", charset="UTF-8"'
