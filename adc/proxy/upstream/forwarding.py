"""The field lines a member is sent: the client's, and what a proxy says of itself and the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adc.http.forwarded import forwarded_element
from adc.http.headers import Pair
from adc.http.message import Request
from adc.http.via import VIA, via
from adc.telemetry.tracing import parse_traceparent

_HOSTS: Final = frozenset({b"host", b"x-forwarded-host"})

WRITTEN: Final = frozenset(
    {
        b"forwarded",
        b"tracestate",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-request-id",
    }
)
"""Fields that a proxy writes or omits, and untrusted clients cannot."""

DECIDABLE: Final = WRITTEN | {b"x-real-ip"}
"""Fields that a route may write or remove instead."""

_COLON: Final = 58
"""As a number: `b":" in host` raises and drops an exception inside CPython where there is none."""
_PORTS: Final = {b"http": b"80", b"https": b"443"}

NONE_DECIDED: Final[frozenset[bytes]] = frozenset()


def _nobody(address: str) -> bool:
    return False


class Forwarding:
    """Makes the field lines that the members of a listener are sent.

    `trusts(peer)` tells whose forwarding fields are kept. `forwarded` adds `Forwarded`, `real_ip` adds `X-Real-IP`.
    """

    __slots__ = ("_forwarded", "_real_ip", "trusts")

    def __init__(
        self, trusts: Callable[[str], bool] = _nobody, *, forwarded: bool = False, real_ip: bool = False
    ) -> None:
        self.trusts = trusts
        self._forwarded = forwarded
        self._real_ip = real_ip

    def lines(self, request: Request, request_id: str, decided: frozenset[bytes]) -> list[Pair]:
        """Return end-to-end lines with `Via`, `X-Forwarded-*` and `X-Request-Id` (RFC 9110 section 7.6.3).

        The client's forwarding fields are kept only if the listener trusts its address; otherwise they are replaced.
        Fields in `decided` stay as the route left them. `traceparent` belongs to the application: adc makes no spans,
        and a parent that nobody exports would hide the client's.
        """
        proxy_fields = request.proxy_fields
        lines = request.headers.pairs
        peer = request.client.peer.encode()
        proto, host = request.scheme.encode(), proxy_fields.get(b"host", b"")
        port = _port(host, proto) if _COLON in host else _PORTS[proto]
        if not decided and WRITTEN.isdisjoint(proxy_fields):
            made = [
                *lines,
                VIA if request.version == "1.1" else via(request.version),
                (b"X-Forwarded-For", peer),
                (b"X-Forwarded-Proto", proto),
                (b"X-Forwarded-Host", host),
                (b"X-Forwarded-Port", port),
                (b"X-Request-Id", request_id.encode()),
            ]
            return self._with_extras(request, made, decided) if self._forwarded or self._real_ip else made
        kept = [pair for pair in lines if pair[0].lower() not in WRITTEN or pair[0].lower() in decided]
        if (
            b"tracestate" not in decided
            and parse_traceparent(proxy_fields.get(b"traceparent", b"")) is not None
        ):
            kept += [pair for pair in lines if pair[0].lower() == b"tracestate"]
        if self.trusts(request.client.peer):
            before = proxy_fields.get(b"x-forwarded-for")
            peer = b"%b, %b" % (before, peer) if before else peer
            host = proxy_fields.get(b"x-forwarded-host", host)
            port = proxy_fields.get(b"x-forwarded-port") or _port(host, proto)
            proto = proxy_fields.get(b"x-forwarded-proto", proto)
        ours = [
            (b"X-Forwarded-For", peer),
            (b"X-Forwarded-Proto", proto),
            (b"X-Forwarded-Host", host),
            (b"X-Forwarded-Port", port),
            (b"X-Request-Id", request_id.encode()),
        ]
        made = [*kept, via(request.version), *[pair for pair in ours if pair[0].lower() not in decided]]
        return self._with_extras(request, made, decided)

    def _with_extras(self, request: Request, lines: list[Pair], decided: frozenset[bytes]) -> list[Pair]:
        if self._forwarded and b"forwarded" not in decided:
            lines.append((b"Forwarded", self._forwarded_value(request)))
        if self._real_ip and b"x-real-ip" not in decided:
            return self._with_real_ip(request, lines)
        return lines

    def _forwarded_value(self, request: Request) -> bytes:
        """Return `Forwarded` (RFC 7239 section 4), behind the elements of earlier proxies if the listener trusts
        them."""
        host = request.proxy_fields.get(b"host", b"").decode("latin-1")
        value = forwarded_element(request.client.peer, host=host, proto=request.scheme)
        before = request.headers.joined(b"forwarded")
        if before and self.trusts(request.client.peer):
            value = b"%b, %b" % (before, value)
        return value

    def _with_real_ip(self, request: Request, lines: list[Pair]) -> list[Pair]:
        """Return `lines` with the client's address in `X-Real-IP`: by `X-Forwarded-For` of trusted proxies, or else
        what they say in `X-Real-IP` itself."""
        said = any(name.lower() == b"x-real-ip" for name, _ in lines)
        if said and b"x-forwarded-for" not in request.proxy_fields and self.trusts(request.client.peer):
            return lines
        kept = [pair for pair in lines if pair[0].lower() != b"x-real-ip"]
        kept.append((b"X-Real-IP", request.source.encode()))
        return kept


def with_host(lines: list[Pair], member: str) -> list[Pair]:
    """Return `lines` with the authority of `member` as Host, unless the route has set one: an HTTP/1.0 client need not
    name a host (RFC 9112 section 3.2), but the member is sent HTTP/1.1."""
    kept = [pair for pair in lines if pair[1] or pair[0].lower() not in _HOSTS]
    if any(pair[0].lower() == b"host" for pair in kept):
        return kept
    authority = b"localhost" if member.startswith("unix:") else member.encode()
    return [(b"Host", authority), *kept]


def _port(host: bytes, proto: bytes) -> bytes:
    """Return the port that an authority names, or the default one of `proto`."""
    _, colon, port = host.rpartition(b":")
    return port if colon and port.isdigit() else _PORTS[proto]
