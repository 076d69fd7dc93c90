"""The field lines a member is sent: the client's, and what a proxy says of itself and the client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from adc.http.forwarded import forwarded_element
from adc.http.headers import Pair
from adc.http.via import VIA, via
from adc.telemetry.tracing import parse_traceparent

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange

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

DECIDED: Final = b"(decided)"
"""Under this a request notes those of them, separated by commas, that its route has decided."""

_WATCHED: Final = WRITTEN | {DECIDED}
_COLON: Final = 58
"""As a number: `b":" in host` raises and drops an exception inside CPython where there is none."""
_PORTS: Final = {b"http": b"80", b"https": b"443"}

MemberLines = Callable[["Exchange"], list[Pair]]


def member_lines(exchange: Exchange) -> list[Pair]:
    """Return end-to-end lines with `Via`, `X-Forwarded-*` and `X-Request-Id` (RFC 9110 section 7.6.3).

    What the client says in forwarding fields is kept only if the listener trusts its address
    (`service.trusts(peer)`); otherwise it is replaced. What the route has decided stays as it is. `traceparent` is
    the application's affair: adc makes no spans, and a parent that nobody exports would hide the client's.
    """
    request = exchange.request
    proxy_fields = request.proxy_fields
    lines = request.headers.pairs
    peer = request.client.peer.encode()
    proto, host = request.scheme.encode(), proxy_fields.get(b"host", b"")
    port = _port(host, proto) if _COLON in host else _PORTS[proto]
    if _WATCHED.isdisjoint(proxy_fields):
        return [
            *lines,
            VIA if request.version == "1.1" else via(request.version),
            (b"X-Forwarded-For", peer),
            (b"X-Forwarded-Proto", proto),
            (b"X-Forwarded-Host", host),
            (b"X-Forwarded-Port", port),
            (b"X-Request-Id", exchange.request_id.encode()),
        ]
    decided = proxy_fields[DECIDED].split(b",") if DECIDED in proxy_fields else []
    kept = [pair for pair in lines if pair[0].lower() not in WRITTEN or pair[0].lower() in decided]
    if b"tracestate" not in decided and parse_traceparent(proxy_fields.get(b"traceparent", b"")) is not None:
        kept += [pair for pair in lines if pair[0].lower() == b"tracestate"]
    if exchange.service.trusts(request.client.peer):
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
        (b"X-Request-Id", exchange.request_id.encode()),
    ]
    return [*kept, via(request.version), *[pair for pair in ours if pair[0].lower() not in decided]]


def lines_with(*, forwarded: bool, real_ip: bool) -> MemberLines:
    """Return what makes the lines for members of a listener, with what its configuration adds."""
    if not (forwarded or real_ip):
        return member_lines

    def lines(exchange: Exchange) -> list[Pair]:
        made = member_lines(exchange)
        decided = exchange.request.proxy_fields.get(DECIDED, b"").split(b",")
        if forwarded and b"forwarded" not in decided:
            made.append((b"Forwarded", _forwarded(exchange)))
        if real_ip and b"x-real-ip" not in decided:
            made = _with_real_ip(exchange, made)
        return made

    return lines


def _forwarded(exchange: Exchange) -> bytes:
    """Return `Forwarded` (RFC 7239 section 4): what earlier proxies wrote is kept if the listener trusts them."""
    request = exchange.request
    host = request.proxy_fields.get(b"host", b"").decode("latin-1")
    value = forwarded_element(request.client.peer, host=host, proto=request.scheme)
    before = request.headers.joined(b"forwarded")
    if before and exchange.service.trusts(request.client.peer):
        value = b"%b, %b" % (before, value)
    return value


def with_host(lines: list[Pair], member: str) -> list[Pair]:
    """Return `lines` with the authority of `member` as Host, unless the route has set one: an HTTP/1.0 client need not
    name a host (RFC 9112 section 3.2), but the member is sent HTTP/1.1."""
    kept = [pair for pair in lines if pair[1] or pair[0].lower() not in _HOSTS]
    if any(pair[0].lower() == b"host" for pair in kept):
        return kept
    authority = b"localhost" if member.startswith("unix:") else member.encode()
    return [(b"Host", authority), *kept]


def _with_real_ip(exchange: Exchange, lines: list[Pair]) -> list[Pair]:
    """Return `lines` with the client's address in `X-Real-IP`: by `X-Forwarded-For` of trusted proxies, or else what
    they say in `X-Real-IP` itself."""
    request = exchange.request
    said = any(name.lower() == b"x-real-ip" for name, _ in lines)
    if (
        said
        and b"x-forwarded-for" not in request.proxy_fields
        and exchange.service.trusts(request.client.peer)
    ):
        return lines
    kept = [pair for pair in lines if pair[0].lower() != b"x-real-ip"]
    kept.append((b"X-Real-IP", request.source.encode()))
    return kept


def _port(host: bytes, proto: bytes) -> bytes:
    """Return the port that an authority names, or the default one of `proto`."""
    _, colon, port = host.rpartition(b":")
    return port if colon and port.isdigit() else _PORTS[proto]
