"""The keys under which requests are counted."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b

from adc.plugin import Request, parse_cookies, parse_query

MOST_KEY = 64
"""Characters of a key; longer ones are replaced by their digest."""

Part = Callable[[Request], str | None]
KeyOf = Callable[[Request], str | None]


def key_of(parts: Sequence[str], source: Part, missing: str, route: str) -> KeyOf:
    """Return the function from a request to its key, None for a request that is not limited."""
    functions = [_part(part, source, route) for part in parts]
    if parts == ("source",):
        return source

    def key(request: Request) -> str | None:
        values = [function(request) for function in functions]
        if None in values:
            if missing == "skip":
                return None
            if missing == "source":
                values.append(source(request))
        text = "\0".join("" if value is None else f"={value}" for value in values)
        return text if len(text) <= MOST_KEY else _digest(text)

    return key


def source_of(prefix4: int, prefix6: int) -> Part:
    """Return the function from a request to the network of its client."""

    @lru_cache(8192)
    def network(address: str) -> str:
        family, bits, prefix = (
            (socket.AF_INET6, 128, prefix6) if ":" in address else (socket.AF_INET, 32, prefix4)
        )
        try:
            number = int.from_bytes(socket.inet_pton(family, address.partition("%")[0]), "big")
        except OSError:
            return address[:MOST_KEY]  # the name of a unix socket
        masked = number >> (bits - prefix) << (bits - prefix)
        return socket.inet_ntop(family, masked.to_bytes(bits // 8, "big"))

    def source(request: Request) -> str:
        address = request.source
        return address if prefix4 == 32 and ":" not in address else network(address)

    return source


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _part(part: str, source: Part, route: str) -> Part:
    kind, _, name = part.partition(":")
    if name:
        return _named(kind, name)
    plain: dict[str, Part] = {
        "source": source,
        "route": lambda request: route,
        "host": lambda request: request.host,
        "method": lambda request: request.method,
        "path": lambda request: request.path,
        "query": lambda request: request.query,
    }
    return plain[kind]


def _named(kind: str, name: str) -> Part:
    if kind == "header":
        field = name.lower().encode()
        return lambda request: _text(request.headers.joined(field))
    if kind == "cookie":
        return lambda request: parse_cookies(request.headers).get(name)
    return lambda request: next(iter(parse_query(request.query).get(name, ())), None)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
