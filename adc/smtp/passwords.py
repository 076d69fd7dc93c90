"""Users of a file of lines `user:hash`, as `htpasswd -B` writes it: bcrypt and argon2."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

Verify = Callable[[bytes], bool]
"""True if a password is the right one. Takes milliseconds of processor time: for a thread."""

_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-7])\$[./A-Za-z0-9]{53}")
_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$v=19\$m=([0-9]{1,7}),t=[0-9]{1,3},p=[0-9]{1,3}\$[^$:]+\$[^$:]+")
_MOST_BYTES: Final = 16 << 20


class BadUsers(ValueError):
    """A file of users that cannot be used; the text names the line, and never shows a hash."""


def read_users(path: str) -> Mapping[str, Verify]:
    """Return verifications by user. Raises BadUsers, OSError."""
    data = Path(path).read_bytes()
    if len(data) > _MOST_BYTES:
        raise BadUsers(f"{path} is over {_MOST_BYTES} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadUsers(f"{path} is not UTF-8") from None
    found: dict[str, Verify] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        user, colon, digest = line.strip().partition(":")
        if not colon or not user:
            raise BadUsers(f"{path}:{number}: a line is user:hash")
        verify = _verification(digest)
        if verify is None:
            raise BadUsers(
                f"{path}:{number}: the hash of {user[:40]!r} is not bcrypt (htpasswd -B) or argon2"
            )
        found[user] = verify
    if not found:
        raise BadUsers(f"{path} has no users")
    return found


def _verification(digest: str) -> Verify | None:
    if _BCRYPT.fullmatch(digest):
        return partial(_bcrypt, digest.encode())
    found = _ARGON2.fullmatch(digest)
    return partial(_argon2, digest) if found and int(found[1]) <= 1 << 20 else None


def _bcrypt(digest: bytes, password: bytes) -> bool:
    import bcrypt

    # The algorithm reads 72 bytes, and NUL ends a password in other programs.
    return b"\0" not in password and bcrypt.checkpw(password[:72], digest)


def _argon2(digest: str, password: bytes) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(digest, password)
    except (VerificationError, InvalidHashError):
        return False


def verify_user(users: Mapping[str, Verify], login: bytes, password: bytes) -> bool:
    """Return True if the password is the user's. Takes milliseconds of processor time.

    For an unknown user the first one's hash is verified, so that the time of a reply does not show who is known.
    """
    found = users.get(login.decode("utf-8", "replace"))
    if found is None:
        next(iter(users.values()))(password)
        return False
    return found(password)
