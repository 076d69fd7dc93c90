"""References and cookies between the client's view and the members': what a rewritten request makes of them."""

from __future__ import annotations

from typing import Final

from adc.http.location_fields import LocationEdits, has_locations
from adc.http.message import Request, Response
from adc.http.references import host_and_port, split_reference
from adc.http.target import BadTarget, split_target
from adc.proxy.exchange import Exchange
from adc.routing.client_view import ClientView, MemberOrigins, Paths
from adc.routing.rewrite import Rewrite

_COMMA: Final = 44


class RestoreLocations:
    """The response stage that shows the client its own paths and hosts where the member wrote those it knows.

    It comes after the cache, because one stored response serves clients of any host and scheme, and before the plugins.
    """

    __slots__ = ("_added", "_members", "_rewrite")

    def __init__(self, rewrite: Rewrite, members: MemberOrigins) -> None:
        self._rewrite = rewrite
        self._members = members
        self._added = rewrite.added.encode()

    def __call__(self, exchange: Exchange, response: Response) -> None:
        if not has_locations(response.headers):
            return
        request = exchange.request
        announced = request.headers.joined(b"x-forwarded-prefix") or b""
        paths = Paths(self._rewrite.prefix(request.path).encode(), self._added, announced)
        view = ClientView(
            self._members,
            paths,
            request.scheme.encode(),
            _authority(exchange),
            request.authority.encode(),
            request.sent_path.encode(),
            exchange.target.partition("?")[0].encode(),
        )
        LocationEdits(view.reference, view.cookie_path, view.cookie_domain).apply(response.headers)


def _authority(exchange: Exchange) -> bytes:
    """Return the authority of the URL that the client asked for, by `X-Forwarded-Host` of a trusted proxy if it names
    one host."""
    request = exchange.request
    said = request.proxy_fields.get(b"x-forwarded-host")
    if said and _COMMA not in said and exchange.context.trusts(request.client.peer):
        return said
    return request.authority.encode()


def member_destination(request: Request, value: bytes, rewrite: Rewrite, scheme: bytes) -> bytes:
    """Return a Destination (RFC 4918 section 10.3) on the client's host as the member's URL; others stay.

    Raises `BadTarget` for a path that no rule may see, or that is not below the prefix of the request's own.
    """
    parts, own = split_reference(value), request.authority.encode()
    if not parts.path.startswith(b"/") or bool(parts.scheme) != (parts.authority is not None):
        return value
    if parts.authority is not None and host_and_port(parts.scheme, parts.authority) != host_and_port(
        parts.scheme, own
    ):
        return value
    written = (parts.path + parts.rest).decode("latin-1")
    target = split_target(written)
    if rewrite.prefix(target.path) != rewrite.prefix(request.path):
        raise BadTarget("a Destination is below the prefix of the request")
    made = rewrite.target(target.path, written).encode()
    if parts.authority is None:
        return made
    host = own if rewrite.host is None else rewrite.host.encode()
    return b"%b://%b%b" % (scheme, host, made)
