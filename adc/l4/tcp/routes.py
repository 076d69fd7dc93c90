"""The pool of a TLS flow, by the ClientHello that it begins with. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from adc.l4.client_hello import ClientHello

T = TypeVar("T")


class TlsRoutes(Generic[T]):
    """Finds by ALPN first, then by server name: the exact name, the longest `*.suffix`, else `default`.

    `alpn` maps protocol names to pools; the first protocol that the client offers and the map knows decides.
    """

    def __init__(self, names: Mapping[str, T], alpn: Mapping[str, T], default: T | None) -> None:
        self._exact = {name.lower(): value for name, value in names.items() if not name.startswith("*.")}
        self._suffixes = {name[1:].lower(): value for name, value in names.items() if name.startswith("*.")}
        self._alpn = {name.encode(): value for name, value in alpn.items()}
        self._default = default

    def find(self, hello: ClientHello) -> T | None:
        """Return the value for a ClientHello; None if no route and no default fits."""
        for protocol in hello.alpn if self._alpn else ():
            if protocol in self._alpn:
                return self._alpn[protocol]
        name = hello.server_name
        found = self._exact.get(name)
        if found is not None or not self._suffixes:
            return self._default if found is None else found
        dot = name.find(".")
        while dot >= 0:
            found = self._suffixes.get(name[dot:])
            if found is not None:
                return found
            dot = name.find(".", dot + 1)
        return self._default
