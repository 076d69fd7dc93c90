"""Access to the admin server: checks against DNS rebinding and requests forged by web pages."""

from __future__ import annotations

import base64
import hmac
import ipaddress
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from adc.admin.access import Access
from adc.admin.responses import answer

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
    without a preflight, which the server never answers), or have neither content nor a field that browsers add
    (`curl -X POST`), and must not name another origin. Errors of the API are JSON.
    """

    @web.middleware
    async def check(request: web.Request, handler: Reply) -> web.StreamResponse:
        try:
            return await checked(request, handler)
        except web.HTTPException as error:
            if not request.path.startswith("/api/"):
                raise
            return _as_json(error)

    async def checked(request: web.Request, handler: Reply) -> web.StreamResponse:
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
    if request.content_type != "application/json" and not _is_bare(request):
        raise web.HTTPUnsupportedMediaType(text="send content-type: application/json\n")
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2].lower() != request.host.lower():
        raise web.HTTPForbidden(text="requests of another origin are rejected\n")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="requests of another site are rejected\n")


def _is_bare(request: web.Request) -> bool:
    """True for a request without content that no browser sent: each adds one of these fields to such a method."""
    fields = ("Content-Type", "Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode")
    return not request.can_read_body and not any(name in request.headers for name in fields)


def _as_json(error: web.HTTPException) -> web.Response:
    reply = answer({"error": (error.text or error.reason).strip()}, error.status)
    for name in ("Allow", "WWW-Authenticate"):
        if name in error.headers:
            reply.headers[name] = error.headers[name]
    return reply


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
