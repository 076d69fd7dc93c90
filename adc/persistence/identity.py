"""Names that stay the same over reloads, restarts and nodes: of members, of tables and of clients."""

from __future__ import annotations

from hashlib import blake2b

ID_BYTES = 8
MAX_PLAIN_KEY = 64
_DIGEST_MARK = b"#"
_DIGEST_BYTES = 16


def member_id(pool: str, address: str) -> bytes:
    """Return the id of a member in pins: 8 bytes that depend on its pool and address, not on its place in the list."""
    return blake2b(f"{pool}\0{address}".encode(), digest_size=ID_BYTES, person=b"adc.member").digest()


def table_name(pool: str) -> str:
    """Return the state table that holds the pins of `pool`."""
    return "persistence." + pool


def plain_key(text: str) -> bytes:
    """Return a table key that operators can read; a digest if the text is empty, long or looks like a digest."""
    key = text.encode("utf-8", "surrogateescape")
    if 0 < len(key) <= MAX_PLAIN_KEY and not key.startswith(_DIGEST_MARK):
        return key
    return secret_key(text)


def secret_key(text: str) -> bytes:
    """Return a table key that must not be shown: a session id is as valuable as a password."""
    return _DIGEST_MARK + blake2b(text.encode("utf-8", "surrogateescape"), digest_size=_DIGEST_BYTES).digest()


def shown_key(key: bytes) -> str:
    """Return a table key as text: itself, or `#` and the digest in hexadecimal."""
    if key.startswith(_DIGEST_MARK):
        return "#" + key[1:].hex()
    return key.decode("utf-8", "backslashreplace")
