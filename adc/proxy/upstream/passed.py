"""The fields of a request that one node of the cluster passes to another."""

from __future__ import annotations

from typing import Final

from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import Request

MARKER: Final = b"x-adc-passed"
POOL: Final = b"x-adc-pool"
CLIENT: Final = b"x-adc-client"
PEER: Final = b"x-adc-peer"
SCHEME: Final = b"x-adc-scheme"
REFUSAL: Final = b"x-adc-refused"
OURS: Final = frozenset({MARKER, POOL, CLIENT, PEER, SCHEME})

REFUSED: Final = 421
"""The status of a request that a node does not serve (RFC 9110 section 15.5.20). It means that only beside
`x-adc-refused`: an application may answer 421, too."""


def signed_parts(method: str, target: str, headers: Headers) -> list[bytes]:
    """Return the parts of a request that its marker covers: everything that identifies client, target and node."""
    fields = [headers.get(name) or b"" for name in (b"host", POOL, CLIENT, PEER, SCHEME, b"x-request-id")]
    return [method.encode("utf-8", "surrogateescape"), target.encode("utf-8", "surrogateescape"), *fields]


def arrive(request: Request, sender: str) -> None:
    """Make `request`, whose marker is genuine, what it was at the node that passed it here."""
    headers = request.headers
    client = request.client
    request.client = Client(
        (headers.get(PEER) or b"").decode("latin-1"), client.scheme, client.sni, client.alpn
    )
    request.source = (headers.get(CLIENT) or b"").decode("latin-1")
    request.scheme = (headers.get(SCHEME) or b"http").decode("latin-1")
    request.passed_by = sender
