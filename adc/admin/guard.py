"""Access to the admin server: checks against DNS rebinding and requests forged by web pages."""

from __future__ import annotations

import base64
import hmac
import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from adc.admin.access import Access

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOCAL_NAMES = ("localhost", "ip6-localhost")
SAFE_METHODS = ("GET", "HEAD")


OPEN_PATHS = ("/livez", "/readyz", "/healthz")
"""Paths of probes, which need no token."""


def guard(access: Access) -> Middleware:
    """Return a middleware that accepts only a Host that is an address, a local name or one of `access.hosts`, and only
    requests with the token.

    A page of another site can make a browser resolve a name of its domain to this server (DNS rebinding), but the Host
    field then is that name. A request that changes something must also be JSON (a page cannot send JSON across origins
    without a preflight, which the server never answers) and must not name another origin.
    """

    @web.middleware
    async def check(request: web.Request, handler: Reply) -> web.StreamResponse:
        names = {*LOCAL_NAMES, *(name.lower() for name in access.hosts)}
        if not _known(request.headers.getall("Host", []), names):
            raise web.HTTPMisdirectedRequest(
                text="this Host is not allowed; use the address, or add the name to admin.hosts\n"
            )
        if access.token and request.path not in OPEN_PATHS:
            _check_token(request.headers.getall("Authorization", []), access.token)
        if request.method not in SAFE_METHODS:
            _check_change(request)
        response = await handler(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
        )
        return response

    return check


def _check_token(shown: list[str], token: str) -> None:
    """Raise HTTPUnauthorized unless the request has exactly one token, and the right one; compared in constant time."""
    if len(shown) != 1 or not hmac.compare_digest(_token_in(shown[0]), token.encode()):
        raise web.HTTPUnauthorized(
            text="the token of admin.token is required: Authorization: Bearer TOKEN\n",
            headers={"WWW-Authenticate": 'Basic realm="adc: the token is the password", charset="UTF-8"'},
        )


def _token_in(line: str) -> bytes:
    """Return the token of `Bearer TOKEN` or the password of `Basic`, which browsers ask for; empty if there is none."""
    scheme, _, value = line.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode("utf-8", "surrogateescape")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(value.strip(), validate=True).partition(b":")[2]
    except ValueError:
        return b""


def _check_change(request: web.Request) -> None:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send content-type: application/json\n")
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2].lower() != request.host.lower():
        raise web.HTTPForbidden(text="requests of another origin are rejected\n")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="requests of another site are rejected\n")


def _known(hosts: list[str], names: set[str]) -> bool:
    if len(hosts) != 1:
        return False
    host = _without_port(hosts[0]).lower()
    if host in names:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _without_port(authority: str) -> str:
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.rpartition(":")[0] if authority.count(":") == 1 else authority
