"""Users and the hashes of their passwords, from htpasswd files and options."""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from adc_plugins.basic_auth.hashes import Verify, parse_hash

from adc.plugin import field_value

MOST_BYTES = 4 << 20
LONGEST_NAME = 255


class Users:
    """Verifications by name. `decoy(name)` is one for an unknown name: that of some user, always the same for a name,
    so that the time it takes tells nothing."""

    def __init__(self, hashes: Mapping[str, Verify], key: bytes) -> None:
        self._hashes = dict(hashes)
        self._all = list(self._hashes.values())
        self._key = key

    def __len__(self) -> int:
        return len(self._hashes)

    def __contains__(self, name: str) -> bool:
        return name in self._hashes

    def find(self, name: str) -> Verify | None:
        """Return the verification for a user, None for an unknown one."""
        return self._hashes.get(name)

    def decoy(self, name: str) -> Verify:
        """Return a verification whose result is to be dropped."""
        digest = hmac.digest(self._key, name.encode("utf-8", "replace"), "sha256")
        return self._all[int.from_bytes(digest[:8]) % len(self._all)]


def normal(text: str) -> str:
    """Return a name or password in the normal form that RFC 8265 compares (NFC)."""
    return unicodedata.normalize("NFC", text)


def parse_users(pairs: Iterable[tuple[str, str]]) -> dict[str, Verify]:
    """Return the verifications of users and hashes. Raises ValueError that names the user, never the hash."""
    users: dict[str, Verify] = {}
    for name, text in pairs:
        name = normal(name)
        shown = repr(name) if len(name) < LONGEST_NAME else "a user"
        if not name or len(name) > LONGEST_NAME or ":" in name or field_value(name) != name.encode():
            raise ValueError(
                f"{shown} is no user name; allowed: 1 to {LONGEST_NAME} characters, no colon or control"
            )
        if name in users:
            raise ValueError(f"the user {shown} is named twice")
        try:
            users[name] = parse_hash(text)
        except ValueError as error:
            raise ValueError(f"the user {shown} has {error}") from None
    return users


def read_file(path: Path) -> dict[str, Verify]:
    """Return the users of an htpasswd file. Raises ValueError."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise ValueError(f"{path} has more than {MOST_BYTES} bytes")
    try:
        return parse_users(_lines(data.decode()))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _lines(text: str) -> Iterable[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        name, colon, rest = stripped.partition(":")
        if not colon:
            raise ValueError(f"line {number} has no colon; write user:hash")
        yield name, rest.partition(":")[0]
