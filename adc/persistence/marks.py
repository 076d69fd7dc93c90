"""Signatures of the nodes of a cluster with their common secret: for records, requests passed on, and replies."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

MARKER_LIFE = 10.0
"""Seconds for which a marker is valid."""
NONCE_BYTES = 16
_MAC_BYTES = 16
_MAX_VALUE = 1200


class Record(NamedTuple):
    """A node as it describes itself: its name, the address it advertises, and when it wrote this (wall-clock
    seconds)."""

    name: str
    address: str
    at: int


class Markers:
    """Signs and verifies messages between nodes. All nodes share `secret`; a signature for one purpose is invalid for
    every other."""

    def __init__(self, secret: bytes, cluster: str) -> None:
        root = blake2b(secret, digest_size=32).digest()
        self._key = blake2b(cluster.encode(), key=root, digest_size=32).digest()

    @property
    def datagram_key(self) -> bytes:
        """The key that signs datagrams between nodes."""
        return blake2b(b"datagrams", key=self._key, digest_size=32).digest()

    def record(self, record: Record) -> bytes:
        """Return the signed form of `record`."""
        body = b"%s %s %d" % (_hex(record.name), _hex(record.address), record.at)
        return self._signed(b"record", body)

    def read_record(self, value: bytes) -> Record | None:
        """Return the record in `value`; None if another secret, or none, signed it."""
        body = self._checked(b"record", value)
        if body is None:
            return None
        name, address, at = body.split(b" ")
        return Record(_text(name), _text(address), int(at))

    def hello(self, record: Record, nonce: bytes, address: str) -> bytes:
        """Return the first message of the node of `record` on a connection to `address`."""
        own = binascii.hexlify(self.record(record))
        return self._signed(b"hello", b"%s %s %s" % (own, binascii.hexlify(nonce), _hex(address)))

    def read_hello(self, value: bytes, address: str) -> tuple[Record, bytes] | None:
        """Return the sender of a hello and its nonce; None if it is not genuine, or meant for another address."""
        body = self._checked(b"hello", value)
        if body is None:
            return None
        own, nonce, wanted = body.split(b" ")
        sender = self.read_record(binascii.unhexlify(own))
        if sender is None or _text(wanted) != address:
            return None
        return sender, binascii.unhexlify(nonce)

    def proof(self, record: Record, nonce: bytes) -> bytes:
        """Return the reply of the node of `record` to a hello with `nonce`: only a node with the secret can make it."""
        return self._signed(b"proof " + nonce, binascii.hexlify(self.record(record)))

    def read_proof(self, value: bytes, nonce: bytes) -> Record | None:
        """Return the node that proved the secret; None if there is no valid proof."""
        body = self._checked(b"proof " + nonce, value)
        return None if body is None else self.read_record(binascii.unhexlify(body))

    def sign(self, sender: str, receiver: str, parts: Sequence[bytes], now: float) -> bytes:
        """Return the marker of a request made of `parts`: valid for MARKER_LIFE seconds, at `receiver` only, and for no
        other request."""
        return self._signed(_request(receiver, parts), b"%s %d" % (_hex(sender), int(now)))

    def sender(self, value: bytes, me: str, parts: Sequence[bytes]) -> tuple[str, int] | None:
        """Return the node that passed the request of `parts` on to `me`, and when it signed that; None if the marker is
        forged, or for another node or request."""
        body = self._checked(_request(me, parts), value)
        if body is None:
            return None
        name, at = body.split(b" ")
        return _text(name), int(at)

    def refusal(self, marker: bytes) -> bytes:
        """Return the reply to a request with `marker` that is not served."""
        return self._mac(b"refusal", marker)

    def refuses(self, value: bytes | None, marker: bytes) -> bool:
        """True if `value` is such a reply, made by a node and not by an application."""
        return value is not None and compare_digest(self.refusal(marker), value)

    def _signed(self, purpose: bytes, body: bytes) -> bytes:
        return body + b" " + self._mac(purpose, body)

    def _checked(self, purpose: bytes, value: bytes) -> bytes | None:
        body, _, mac = value.rpartition(b" ")
        if len(value) > _MAX_VALUE or not compare_digest(self._mac(purpose, body), mac):
            return None
        return body

    def _mac(self, purpose: bytes, body: bytes) -> bytes:
        data = b"%d %b%b" % (len(purpose), purpose, body)
        return binascii.hexlify(blake2b(data, key=self._key, digest_size=_MAC_BYTES).digest())


def _request(receiver: str, parts: Sequence[bytes]) -> bytes:
    """Return a digest of `receiver` and `parts` that no other combination has."""
    digest = blake2b(digest_size=32)
    for part in (receiver.encode(), *parts):
        digest.update(b"%d " % len(part))
        digest.update(part)
    return b"request " + digest.digest()


def _hex(text: str) -> bytes:
    return binascii.hexlify(text.encode())


def _text(encoded: bytes) -> str:
    return binascii.unhexlify(encoded).decode()
