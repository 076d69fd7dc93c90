"""Reads the ClientHello of TLS (RFC 8446 section 4.1.2) without ending the connection's TLS. No I/O.

A ClientHello may be cut over several records, and records over several segments (RFC 8446 section 5.1).
"""

from __future__ import annotations

from typing import Final, NamedTuple

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_SERVER_NAME: Final = 0
_ALPN: Final = 16
_HOST_NAME: Final = 0
_MAX_RECORD: Final = 1 << 14
_HEADER: Final = 5
_MAX_NAME: Final = 253


class ClientHello(NamedTuple):
    """`server_name` in lower case, "" for none; `alpn` in the client's order."""

    server_name: str
    alpn: tuple[bytes, ...]


class BadHello(ValueError):
    """Bytes that do not begin with a valid ClientHello. `is_tls` is False if they are no TLS at all."""

    def __init__(self, message: str, is_tls: bool = True) -> None:
        super().__init__(message)
        self.is_tls = is_tls


class HelloReader:
    """Collects the bytes that a stream begins with until they hold a ClientHello.

    `limit` bounds those bytes; `data` is all that was fed, to be passed on. Each record is looked at once.
    """

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self._limit = limit
        self._message = bytearray()
        self._place = 0

    def feed(self, data: bytes) -> ClientHello | None:
        """Add bytes; return the ClientHello when it is complete. Raises BadHello when no further byte can help."""
        self.data += data
        while self._take_record():
            wanted = self._wanted()
            if wanted is not None and len(self._message) >= wanted:
                if self._place > self._limit:
                    break
                return _parse(bytes(self._message[4:wanted]))
        if len(self.data) > self._limit:
            raise BadHello(f"no ClientHello within {self._limit} bytes")
        return None

    def _take_record(self) -> bool:
        """Add the next record to the message; False if it is incomplete."""
        place = self._place
        header = self.data[place : place + _HEADER]
        if header and header[0] != _HANDSHAKE:
            raise BadHello(f"a byte {header[0]:#04x} where a handshake record begins", place > 0)
        if len(header) > 1 and header[1] != 3:
            raise BadHello(f"TLS version {header[1]}", place > 0)
        if len(header) < _HEADER:
            return False
        length = int.from_bytes(header[3:5], "big")
        if not 0 < length <= _MAX_RECORD:
            raise BadHello(f"a record of {length} bytes")
        end = place + _HEADER + length
        if len(self.data) < end:
            return False
        self._message += self.data[place + _HEADER : end]
        self._place = end
        return True

    def _wanted(self) -> int | None:
        """Return the length of the handshake message with its header, None if it is not known yet."""
        message = self._message
        if message[0] != _CLIENT_HELLO:
            raise BadHello(f"handshake message {message[0]}")
        if len(message) < 4:
            return None
        length = 4 + int.from_bytes(message[1:4], "big")
        if length > self._limit:
            raise BadHello(f"a ClientHello of {length} bytes; the limit is {self._limit}")
        return length


class _Fields:
    """Takes length-prefixed fields off a message. Raises BadHello beyond its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def left(self) -> bool:
        return self._place < len(self._data)

    def take(self, count: int) -> bytes:
        end = self._place + count
        if end > len(self._data):
            raise BadHello("a field beyond the end")
        taken = self._data[self._place : end]
        self._place = end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))


def _parse(body: bytes) -> ClientHello:
    fields = _Fields(body)
    fields.take(2 + 32)  # version, random
    fields.vector(1)  # session id
    fields.vector(2)  # cipher suites
    fields.vector(1)  # compression methods
    name, protocols = "", ()
    if not fields.left:  # TLS 1.2 without extensions
        return ClientHello(name, protocols)
    extensions = _Fields(fields.vector(2))
    if fields.left:
        raise BadHello("bytes behind the extensions")
    seen: set[int] = set()
    while extensions.left:
        kind, value = extensions.number(2), extensions.vector(2)
        if kind in seen:
            raise BadHello(f"extension {kind} twice")
        seen.add(kind)
        if kind == _SERVER_NAME:
            name = _server_name(value)
        elif kind == _ALPN:
            protocols = _protocols(value)
    return ClientHello(name, protocols)


def _server_name(value: bytes) -> str:
    """Return the host name of a server_name extension (RFC 6066 section 3)."""
    outer = _Fields(value)
    names = _Fields(outer.vector(2))
    if outer.left or not names.left:
        raise BadHello("a malformed server_name")
    found: str | None = None
    while names.left:
        kind, name = names.number(1), names.vector(2)
        if kind == _HOST_NAME:
            if found is not None:
                raise BadHello("two host names")
            found = _host(name)
    return found or ""


def _host(name: bytes) -> str:
    if not 0 < len(name) <= _MAX_NAME or not all(0x21 <= byte <= 0x7E for byte in name):
        raise BadHello("a malformed host name")
    return name.decode("ascii").lower().removesuffix(".")


def _protocols(value: bytes) -> tuple[bytes, ...]:
    """Return the names of an ALPN extension (RFC 7301 section 3.1)."""
    outer = _Fields(value)
    names = _Fields(outer.vector(2))
    if outer.left or not names.left:
        raise BadHello("a malformed ALPN extension")
    found = []
    while names.left:
        name = names.vector(1)
        if not name:
            raise BadHello("an empty ALPN name")
        found.append(name)
    return tuple(found)
