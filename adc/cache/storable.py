"""Responses that may be stored, and their fields that may be (RFC 9111 sections 3, 3.1, 3.5)."""

from __future__ import annotations

from dataclasses import dataclass

from adc.cache.directives import Directives, request_directives, response_directives
from adc.cache.entry import Entry
from adc.cache.freshness import HEURISTIC_STATUS, Terms, received_date, terms
from adc.cache.options import CacheOptions
from adc.cache.vary import vary_names, varying
from adc.http.cache_control import split_list
from adc.http.dates import http_date
from adc.http.fields import HOP_BY_HOP
from adc.http.headers import Headers, Pair
from adc.http.message import NO_BODY, Request, Response
from adc.http.ranges import ContentRange, parse_content_range

UNDERSTOOD_STATUS = HEURISTIC_STATUS | frozenset(
    {
        201,
        202,
        205,
        302,
        303,
        307,
        400,
        401,
        402,
        403,
        406,
        407,
        408,
        409,
        411,
        412,
        413,
        415,
        416,
        417,
        421,
        422,
    }
    | {426, 451, 500, 502, 503, 504, 505}
)
"""Status codes whose caching behaviour this cache implements (must-understand, RFC 9111 section 5.2.2.3)."""

_ONE_CLIENT_STATUS = frozenset({428, 429, 431, 511})
"""Status codes that speak of one client and must not be stored (RFC 6585 sections 3 to 6)."""

_NEVER_STORED = HOP_BY_HOP | {b"age", b"content-length"}
_REROUTING = frozenset(
    {
        b"x-original-url",
        b"x-rewrite-url",
        b"x-http-method-override",
        b"x-http-method",
        b"x-method-override",
    }
)
"""Fields by which frameworks let a client change path or method without the cache key."""

_REHOSTING = frozenset(
    {
        b"x-host",
        b"x-original-host",
        b"x-forwarded-server",
        b"x-forwarded-port",
        b"x-forwarded-scheme",
        b"x-forwarded-ssl",
        b"front-end-https",
    }
)
"""Fields by which frameworks build URLs; only a trusted proxy in front may set them. `X-Forwarded-Prefix` is not among
them: a client's has been removed, and that of a route depends on its path only."""


MAX_TAGS = 1000
"""A response with more purge tags is not stored: with only some of them it would outlive a purge by the others."""


@dataclass(frozen=True, slots=True)
class Store:
    """Keep the response: `entry` lacks only its content. `ttl`: freshness left at receipt, in seconds."""

    entry: Entry
    ttl: float


@dataclass(frozen=True, slots=True)
class Pass:
    """Do not keep the response; `reason` in words. `lasting`: the next response is likely no different, so
    that concurrent requests for the key should not wait for each other.
    """

    reason: str
    lasting: bool = True


def store(
    key: bytes,
    request: Request,
    response: Response,
    request_time: float,
    response_time: float,
    options: CacheOptions,
    *,
    peer_trusted: bool = False,
) -> Store | Pass:
    """Decide whether to store `response` under `key`. Times are wall seconds; `request` is as the client sent it.

    `peer_trusted` is True if the peer is a trusted proxy, whose forwarding fields count.
    """
    refused = _refused_request(request, peer_trusted)
    if refused is not None:
        return Pass(refused, lasting=False)
    directives = response_directives(response.headers, options.targeted)
    refused = _refused_response(request, response, directives, options)
    if refused is not None:
        return Pass(refused)
    reuse = terms(response.status, response.headers, directives, request_time, response_time, options)
    if _useless(response.headers, reuse):
        return Pass(f"no freshness ({reuse.source}) and no validator")
    if vary_names(response.headers) is None:
        return Pass("Vary names *, who asks, too many fields or none")
    headers = stored_headers(response.headers, directives, response_time)
    entry = entry_for(key, request, response, headers, reuse, response_time, options)
    if len(entry.tags) > MAX_TAGS:
        return Pass(f"more than {MAX_TAGS} tags")
    return Store(entry, reuse.freshness(response_time))


def entry_for(
    key: bytes,
    request: Request,
    response: Response,
    headers: Headers,
    reuse: Terms,
    response_time: float,
    options: CacheOptions,
) -> Entry:
    """Return the entry, without content, that `headers` (as stored) make for `request`."""
    return Entry(
        key=key,
        status=response.status,
        reason=response.reason,
        headers=headers,
        varying=varying(vary_names(headers) or (), request.headers, options.key.counted_cookies),
        terms=reuse,
        date=received_date(headers, response_time),
        etag=headers.get(b"etag") or None,
        last_modified=headers.get(b"last-modified") or None,
        tags=tags(headers, options.tag_header),
        part=_part(response),
        length=max(0, response.body_length),
    )


def _refused_request(request: Request, peer_trusted: bool) -> str | None:
    if request.method not in ("GET", "POST"):
        return f"method {request.method}"
    if request.method == "GET" and request.body_length != NO_BODY:
        return "request has content"
    return _unkeyed(request, peer_trusted) or ("request no-store" if _no_store(request) else None)


def _no_store(request: Request) -> bool:
    return "no-store" in request_directives(request.headers)


def _unkeyed(request: Request, peer_trusted: bool) -> str | None:
    """Return why the response may depend on parts of `request` that are not in the key."""
    index = request.headers.index
    names = {
        name.replace(b"_", b"-") for name in index
    }  # names as members see them that map fields to variables
    for name in _REROUTING:
        if name in names:
            return f"request carries {name.decode()}"
    if not peer_trusted:
        for name in _REHOSTING:
            if name in names:
                return f"request carries {name.decode()}"
        claimed = request.headers.joined(b"x-forwarded-host") or b""
        own = request.authority.lower().encode("latin-1", "replace")
        if any(host.lower() != own for host in split_list(claimed)):
            return "request claims another host"
    if len(request.headers.get_all(b"host")) > 1:
        return "more than one Host"
    return None


def may_update(request: Request, directives: Directives, peer_trusted: bool) -> bool:
    """True if fields of a response to `request`, with its `directives`, may update the stored response.

    The rules are those for storing: a 304 or a response to HEAD must not add fields that a 200 could not.
    """
    if _unkeyed(request, peer_trusted) is not None or _no_store(request):
        return False
    return b"authorization" not in request.headers or _shareable(directives, "must-revalidate")


def _refused_response(
    request: Request, response: Response, directives: Directives, options: CacheOptions
) -> str | None:
    control, status, headers = directives.control, response.status, response.headers
    if status < 200 or status == 304 or status in _ONE_CLIENT_STATUS:
        return f"status {status}"
    if b"range" in request.headers and _blames_range(status):
        return f"status {status} to a Range"
    if status == 206 and not _combinable(response):
        return "206 without a usable Content-Range"
    if "must-understand" in control:
        if status not in UNDERSTOOD_STATUS:
            return f"must-understand and status {status}"
    elif "no-store" in control:
        return "no-store"
    if control.forbids("private"):
        return "private"
    if b"authorization" in request.headers and not _for_everybody(directives, headers):
        return "request has Authorization"
    if not _stated(directives, headers) and status not in HEURISTIC_STATUS:
        return f"status {status} without explicit freshness"
    if b"set-cookie" in headers and not _cookie_allowed(directives, headers, options):
        return "Set-Cookie"
    if request.method == "POST" and not _stands_for_get(request, response, directives):
        return "POST"
    if response.body_length > options.max_object:
        return f"larger than {options.max_object} bytes"
    return None


def _blames_range(status: int) -> bool:
    """True if the error may concern the Range, which is not in the key: stored, it would replace the whole."""
    return 400 <= status < 500 and status not in (404, 410)


def _shareable(directives: Directives, *more: str) -> bool:
    """True if the origin explicitly allows a shared cache to reuse the response (RFC 9111 section 3.5)."""
    return any(name in directives.control for name in ("public", "s-maxage", *more))


def _for_everybody(directives: Directives, headers: Headers) -> bool:
    """True if a response to a request with Authorization may be reused (RFC 9111 section 3.5).

    `must-revalidate` allows it for the lifetime that the response states, not for one that a route adds.
    """
    return _shareable(directives) or (
        "must-revalidate" in directives.control and _stated(directives, headers)
    )


def _cookie_allowed(directives: Directives, headers: Headers, options: CacheOptions) -> bool:
    """True if Set-Cookie does not prevent storing: a cookie is seldom meant for all clients. With
    `no-cache="set-cookie"` the response is stored without the field."""
    control = directives.control
    if any(b"set-cookie" in control.listed.get(name, ()) for name in ("no-cache", "private")):
        return True
    if options.cookies_need_public:
        return _shareable(directives) or (directives.targeted and "max-age" in control)
    return _stated(directives, headers)


def _stated(directives: Directives, headers: Headers) -> bool:
    """True if the response itself allows storing, rather than its status code by default."""
    control = directives.control
    if any(name in control for name in ("public", "s-maxage", "max-age")):
        return True
    return b"expires" in headers and not directives.targeted


def _stands_for_get(request: Request, response: Response, directives: Directives) -> bool:
    """True if a POST response may be the response to later GETs, because it says so (RFC 9110 section 9.3.3)."""
    place = response.headers.get(b"content-location")
    if place is None or response.status != 200 or not _stated(directives, response.headers):
        return False
    url = f"{request.scheme}://{request.authority}{request.target}"
    return place.decode("latin-1") in (request.target, url)


def _combinable(response: Response) -> bool:
    part = _part(response)
    known = part is not None and response.body_length in (part.length, -1)
    return known and b"multipart/byteranges" not in (response.headers.get(b"content-type") or b"").lower()


def _part(response: Response) -> ContentRange | None:
    value = response.headers.get(b"content-range")
    return None if response.status != 206 or value is None else parse_content_range(value)


def _useless(headers: Headers, reuse: Terms) -> bool:
    if b"etag" in headers or b"last-modified" in headers:
        return False
    if reuse.always_validate:
        return True
    return reuse.lifetime <= 0 and reuse.stale_while_revalidate <= 0 and reuse.stale_if_error <= 0


def stored_headers(headers: Headers, directives: Directives, response_time: float) -> Headers:
    """Return the lines to store: end-to-end, with a Date, without lines excluded by a qualified no-cache or private."""
    unwanted = set(_NEVER_STORED)
    for line in headers.get_all(b"connection"):
        unwanted.update(item.strip(b" \t").lower() for item in line.split(b","))
    for names in directives.control.listed.values():
        unwanted |= names
    kept: list[Pair] = [pair for pair in headers if pair[0].lower() not in unwanted]
    if b"date" not in headers:
        kept.append((b"Date", http_date(response_time)))
    return Headers(kept)


def tags(headers: Headers, name: bytes) -> tuple[bytes, ...]:
    """Return the purge tags in field `name`, divided by commas or spaces, each once."""
    found = {tag: None for line in headers.get_all(name) for tag in line.replace(b",", b" ").split()}
    return tuple(found)
