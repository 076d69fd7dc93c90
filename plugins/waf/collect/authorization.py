"""The `Authorization` header as variables."""

from __future__ import annotations

import binascii


def scheme(value: bytes) -> bytes:
    """Return the scheme, such as `Basic`."""
    return value.partition(b" ")[0]


def basic_user(value: bytes) -> bytes:
    """Return the user's name of the `Basic` scheme, empty if the value is of another scheme or cannot be decoded."""
    name, _, credentials = value.partition(b" ")
    if name.lower() != b"basic":
        return b""
    try:
        return binascii.a2b_base64(credentials).partition(b":")[0]
    except binascii.Error:
        return b""
