"""Facts of a client's connection, for every protocol. No I/O."""

from __future__ import annotations

from typing import Any


class Client:
    """The client's end of one connection; all requests of the connection share it.

    `peer` is the address of the socket as text, "unix" for a unix socket, "" if there is no client. `address` and
    `own_address` (the address that the client connected to) are what sockets give: `(address, port, ...)`, a path for
    a unix socket, None if unknown; a PROXY protocol header replaces both. `scheme` is what the connection speaks:
    `http` or `https`. `sni` is the server name of the TLS handshake, `alpn` the protocol that was agreed on; "" for
    none. `certificate` describes the client certificate that TLS verified: field names to values, empty without one.
    """

    __slots__ = ("address", "alpn", "certificate", "own_address", "peer", "scheme", "sni")

    def __init__(
        self,
        peer: str = "",
        scheme: str = "http",
        sni: str = "",
        alpn: str = "",
        address: Any = None,
        own_address: Any = None,
    ) -> None:
        self.peer = peer
        self.scheme = scheme
        self.sni = sni
        self.alpn = alpn
        self.address = address
        self.own_address = own_address
        self.certificate: dict[str, str] = {}


class Flow:
    """Input of a balancer or a pin by source, for a connection or a request.

    `source` is the client's address as text: the address of the connection, or the one that trusted proxies named.
    """

    __slots__ = ("client", "source")

    def __init__(self, client: Client, source: str = "") -> None:
        self.client = client
        self.source = source or client.peer
