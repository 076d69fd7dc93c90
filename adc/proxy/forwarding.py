"""The field lines a member is sent: the client's, and what a proxy says of itself and the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adc.http.forwarded import forwarded_element
from adc.http.headers import Pair
from adc.http.via import VIA
from adc.telemetry.tracing import new_trace, parse_traceparent

if TYPE_CHECKING:
    from adc.proxy.exchange import Exchange

_HOSTS: Final = frozenset({b"host", b"x-forwarded-host"})

WRITTEN: Final = frozenset(
    {
        b"forwarded",
        b"traceparent",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-request-id",
    }
)
"""What a proxy writes, and clients that are not trusted cannot."""

DECIDED: Final = b"(decided)"
"""Under this a request notes those of them, separated by commas, that its route writes, or wants left out."""

_WATCHED: Final = WRITTEN | {DECIDED}


def member_lines(exchange: Exchange) -> list[Pair]:
    """End-to-end lines with `Via`, `X-Forwarded-*`, `X-Request-Id` and `traceparent` (RFC 9110 section 7.6.3).

    What the client says in forwarding fields is kept only if the listener trusts its address
    (`service.trusts(peer)`); otherwise it is replaced. What the
    route has decided stays as it is.
    """
    request = exchange.request
    noted = request.noted
    lines = request.headers.pairs
    peer = request.peer.encode()
    proto, host = request.scheme.encode(), noted.get(b"host", b"")
    if _WATCHED.isdisjoint(noted):
        trace = b"00-%b-%b-00" % ((request_id := exchange.request_id.encode()), request_id[16:32])
        return [
            *lines,
            VIA,
            (b"X-Forwarded-For", peer),
            (b"X-Forwarded-Proto", proto),
            (b"X-Forwarded-Host", host),
            (b"X-Request-Id", request_id),
            (b"traceparent", trace),
        ]
    decided = noted[DECIDED].split(b",") if DECIDED in noted else []
    kept = [pair for pair in lines if pair[0].lower() not in WRITTEN or pair[0].lower() in decided]
    if exchange.service.trusts(request.peer):
        before = noted.get(b"x-forwarded-for")
        peer = b"%b, %b" % (before, peer) if before else peer
        proto = noted.get(b"x-forwarded-proto", proto)
        host = noted.get(b"x-forwarded-host", host)
    known = parse_traceparent(noted[b"traceparent"]) if b"traceparent" in noted else None
    trace = (known.child() if known is not None else new_trace()).value()
    ours = [
        (b"X-Forwarded-For", peer),
        (b"X-Forwarded-Proto", proto),
        (b"X-Forwarded-Host", host),
        (b"X-Request-Id", exchange.request_id.encode()),
        (b"traceparent", trace),
    ]
    return [*kept, VIA, *[pair for pair in ours if pair[0].lower() not in decided]]


def lines_with_forwarded(exchange: Exchange) -> list[Pair]:
    """Those of `member_lines`, and `Forwarded` (RFC 7239 section 4): what earlier proxies wrote is kept under the
    same condition."""
    request = exchange.request
    if b"forwarded" in request.noted.get(DECIDED, b"").split(b","):
        return member_lines(exchange)
    host = request.noted.get(b"host", b"").decode("latin-1")
    value = forwarded_element(request.peer, host=host, proto=request.scheme)
    before = request.headers.joined(b"forwarded")
    if before and exchange.service.trusts(request.peer):
        value = b"%b, %b" % (before, value)
    return [*member_lines(exchange), (b"Forwarded", value)]


def with_host(lines: list[Pair], member: str) -> list[Pair]:
    """Return `lines` with the authority of `member` as Host, unless the route has set one: an HTTP/1.0 client need not
    name a host (RFC 9112 section 3.2), but the member is sent HTTP/1.1."""
    kept = [pair for pair in lines if pair[1] or pair[0].lower() not in _HOSTS]
    if any(pair[0].lower() == b"host" for pair in kept):
        return kept
    authority = b"localhost" if member.startswith("unix:") else member.encode()
    return [(b"Host", authority), *kept]
