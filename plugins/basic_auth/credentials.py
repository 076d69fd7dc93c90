"""The Authorization field of Basic authentication (RFC 7617 section 2)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from adc_plugins.basic_auth.users import normal

LONGEST = 4096
"""Bytes of the field's value that are read."""

_FIELD = re.compile(rb"[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/_~.\-]+={0,2}) *")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_UNQUOTED = re.compile(r'(["\\])')
_REALM = re.compile(r"[ -~]{1,200}")


class Credentials(NamedTuple):
    """A user's name and password."""

    name: str
    password: bytes

    def __repr__(self) -> str:
        return "Credentials(***)"


def parse_credentials(value: bytes) -> Credentials | None:
    """Return the credentials, None if they are malformed. UTF-8, else Latin-1 as older clients send it."""
    found = _FIELD.fullmatch(value) if len(value) <= LONGEST else None
    if found is None:
        return None
    try:
        data = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    name, colon, password = normal(text).partition(":")
    if not colon or _CONTROLS.search(name) or _CONTROLS.search(password):
        return None
    return Credentials(name, password.encode())


def challenge(realm: str) -> str:
    """Return the WWW-Authenticate value. Raises ValueError for a realm that it cannot have."""
    if not _REALM.fullmatch(realm):
        raise ValueError(f"realm {realm!r:.80} is not 1 to 200 printable ASCII characters")
    quoted = _UNQUOTED.sub(r"\\\1", realm)
    return f'Basic realm="{quoted}", charset="UTF-8"'
