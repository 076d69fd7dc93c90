"""Limits on what requests of a route may be."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from adc.plugin import UNKNOWN_LENGTH, ContentTypes, Context, Host, Options, Plugin, Request, Response, Size

_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}")
_LINE_ENDS = 4
"""The bytes of a field line besides its name and value, as the listener's `header_bytes` counts them."""


def _method(name: str) -> str:
    if not _METHOD.fullmatch(name):
        raise ValueError(f"{name!r} is not a method such as GET")
    return name


def _listed(written: object) -> object:
    return (written,) if isinstance(written, str) else written


Number = Annotated[int, Field(ge=0, le=1_000_000)]


class RequestLimitsOptions(Options):
    methods: Annotated[tuple[Annotated[str, AfterValidator(_method)], ...], BeforeValidator(_listed)] = ()
    """Allowed methods; others get 405. GET allows HEAD."""

    content_types: ContentTypes | None = None
    """Allowed media types of request content: `[application/json]`; other content, or content without Content-Type,
    gets 415."""

    body: Size | None = None
    """Maximum size of a request body; larger ones get 413. `limits: {body}` of the route does the same."""

    headers: Number | None = None
    """Maximum number of request fields; more get 431."""

    header_bytes: Size | None = None
    """Maximum size of all request fields; larger ones get 431."""

    field_bytes: Size | None = None
    """Maximum size of one request field, its name included; larger ones get 431."""

    target: Size | None = None
    """Maximum length of a request target, the path and the query; longer ones get 414."""

    query: Size | None = None
    """Maximum length of a query; longer ones get 414."""

    parameters: Number | None = None
    """Maximum number of query parameters; more get 400."""

    parameter_bytes: Size | None = None
    """Maximum length of one query parameter as it is written, its name included; longer ones get 400."""

    dry_run: bool = False
    """Count and log what would be refused, and let it pass."""


class Excess(NamedTuple):
    """A limit that a request exceeds, by the name of its option, and the status of the response."""

    limit: str
    status: int


def excess_of(request: Request, options: RequestLimitsOptions) -> Excess | None:
    """Return the first limit that the head of `request` exceeds."""
    return (
        _excess_of_kind(request, options)
        or _excess_of_target(request, options)
        or _excess_of_fields(request, options)
    )


def _excess_of_kind(request: Request, options: RequestLimitsOptions) -> Excess | None:
    if options.methods and request.method not in options.methods:
        return Excess("methods", 405)
    types = options.content_types
    if types is not None and request.body_length:
        named = request.headers.get_all(b"content-type")
        if len(named) != 1 or not types.covers(named[0]):  # of two, members may read either
            return Excess("content_types", 415)
    if options.body is not None and request.body_length > options.body:
        return Excess("body", 413)
    return None


def _excess_of_target(request: Request, options: RequestLimitsOptions) -> Excess | None:
    query = request.query
    if options.target is not None and len(request.received_target) > options.target:
        return Excess("target", 414)
    if options.query is not None and len(query) > options.query:
        return Excess("query", 414)
    if options.parameters is not None and query and query.count("&") >= options.parameters:
        return Excess("parameters", 400)
    most = options.parameter_bytes
    if most is not None and len(query) > most and any(len(part) > most for part in query.split("&")):
        return Excess("parameter_bytes", 400)
    return None


def _excess_of_fields(request: Request, options: RequestLimitsOptions) -> Excess | None:
    lines = request.received_lines
    if options.headers is not None and len(lines) > options.headers:
        return Excess("headers", 431)
    if options.header_bytes is None and options.field_bytes is None:
        return None
    sizes = [len(name) + len(value) + _LINE_ENDS for name, value in lines]
    if options.header_bytes is not None and sum(sizes) > options.header_bytes:
        return Excess("header_bytes", 431)
    if options.field_bytes is not None and max(sizes, default=0) > options.field_bytes:
        return Excess("field_bytes", 431)
    return None


class RequestLimits(Plugin[RequestLimitsOptions]):
    """Refuses requests that are larger than the application expects, or of another kind."""

    checks = True

    def __init__(self, options: RequestLimitsOptions) -> None:
        if "GET" in options.methods and "HEAD" not in options.methods:
            options = options.model_copy(update={"methods": (*options.methods, "HEAD")})
        super().__init__(options)
        self._allow = {"Allow": ", ".join(options.methods)}

    async def start(self, host: Host) -> None:
        self._refused = host.keyed_counter("refused", "Requests over a limit, or that would be, by limit.")

    def request_head(self, context: Context) -> Response | None:
        """Refuse a head over a limit."""
        request = context.request
        if self.options.body is None or request.body_length != UNKNOWN_LENGTH:
            context.skip_request_body()
        excess = excess_of(request, self.options)
        return None if excess is None else self._refuse(context, excess)

    def request_body(self, context: Context, data: bytes, end: bool) -> Response | None:
        """Count content of unknown length."""
        before = context.state.get("received", 0)
        received = context.state["received"] = before + len(data)
        if self.options.body is None or not before <= self.options.body < received:
            return None
        return self._refuse(context, Excess("body", 413))

    def _refuse(self, context: Context, excess: Excess) -> Response | None:
        self._refused.add(excess.limit)
        if self.options.dry_run:
            context.warn("the request would be refused", limit=excess.limit, status=excess.status)
            return None
        reason = _REASONS.get(excess.status, "")
        fields = self._allow if excess.status == 405 else {}
        return Response(excess.status, fields, error_page=True, reason=reason)


_REASONS = {413: "limit_body", 414: "limit_target", 431: "limit_head"}
