"""Lets another service decide about each request, like nginx's auth_request."""

from __future__ import annotations

import re
import secrets
from collections.abc import Coroutine, Sequence
from hashlib import blake2b
from typing import Any, Literal

from adc_plugins.forward_auth.exchange import Pair, copied, question, refusal
from cachetools import TTLCache
from pydantic import Field

from adc.plugin import (
    Context,
    Duration,
    FilePath,
    Host,
    HttpFailed,
    IdentityFields,
    Options,
    Plugin,
    Response,
    Size,
    Strings,
    check_url,
    with_place,
)

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")


class ForwardAuthOptions(Options):
    """A reply with a status of 2xx lets the request pass; any other is sent to the client."""

    url: str
    """The service, which gets a GET with `X-Forwarded-Method`, `-Proto`, `-Host`, `-Uri` and `-For`."""

    request_headers: Strings = ()
    """Fields of the client that the service gets. Default: all but those about content, ranges and conditions."""

    copy_headers: Strings = Field((), alias="copy")
    """Fields of the reply that the member gets with the request: `[X-User, X-Groups]`. A client cannot send them."""

    copy_to_client: Strings = ()
    """Fields of the reply that the client gets with the response: `[Set-Cookie]`."""

    on_failure: Literal["refuse", "pass"] = "refuse"
    """If the service does not answer: `refuse` with 503, or let requests `pass` without the copied fields."""

    dry_run: bool = False
    """Nothing is refused: what would be is counted and logged."""

    auth_timeout: Duration = 3.0
    """Time that the service has."""

    reply_limit: Size = 256 << 10
    """Largest content of a reply."""

    cache: Duration = 0.0
    """Time for which a reply of 2xx is reused for the same request of the same client; `0` asks each time."""

    cache_by: Strings = ()
    """Request fields that make requests different for `cache`, besides method, URL and address of the client:
    `[Authorization, Cookie]` if nothing else decides. Default: all that the service gets."""

    cache_size: int = Field(10_000, ge=1, le=1_000_000)
    """Replies that a worker remembers."""

    verify: bool = True
    """Verify the certificate of an `https` service."""

    ca_file: FilePath | None = None
    """Authorities to trust, instead of the machine's."""


class ForwardAuth(Plugin[ForwardAuthOptions]):
    """Asks another service before a request reaches a member."""

    def __init__(self, options: ForwardAuthOptions) -> None:
        super().__init__(options)
        with_place("url", check_url, options.url)
        self._fields: IdentityFields = with_place("copy", IdentityFields, options.copy_headers)
        self.identity = self._fields
        with_place("copy_to_client", IdentityFields, options.copy_to_client)
        self._names = with_place("request_headers", _names, options.request_headers)
        self._by = with_place("cache_by", _names, options.cache_by) or self._names
        self._key = secrets.token_bytes(32)

    async def start(self, host: Host) -> None:
        """Open the client."""
        options = self.options
        self._client = host.http(
            timeout=options.auth_timeout,
            most=options.reply_limit,
            verify=options.verify,
            ca_file=options.ca_file,
            connections=200,
        )
        self._asked = host.counter("asked", "Requests that the service was asked about.")
        self._refused = host.counter("refused", "Requests that the service refused.")
        self._failed = host.counter("failed", "Requests that the service did not answer.")
        self._known: TTLCache[bytes, Sequence[Pair]] = TTLCache(
            options.cache_size, options.cache or 1.0, timer=host.now
        )

    def request_head(self, context: Context) -> Response | Coroutine[Any, Any, Response | None] | None:
        """Reuse a reply, or ask."""
        self._fields.clear(context.request.headers)
        if not self.options.cache:
            return self._ask(context, b"")
        mark = self._mark(context)
        known = self._known.get(mark)
        if known is None:
            return self._ask(context, mark)
        self._admit(context, known)
        return None

    def _mark(self, context: Context) -> bytes:
        fields = question(context.request, context.client, self._by)
        asked = [(name.lower(), value) for name, value in fields]
        return blake2b(repr(asked).encode(), digest_size=16, key=self._key).digest()

    async def _ask(self, context: Context, mark: bytes) -> Response | None:
        self._asked.add()
        fields = question(context.request, context.client, self._names)
        try:
            reply = await self._client.request("GET", self.options.url, fields)
        except (HttpFailed, ValueError) as error:
            return self._fail(context, str(error))
        if 200 <= reply.status < 300:
            found = copied(reply.headers, self.options.copy_headers)
            if mark:
                self._known[mark] = found
            self._admit(context, found)
            context.state["fields"] = copied(reply.headers, self.options.copy_to_client)
            return None
        response = refusal(reply)
        if response is None:
            return self._fail(context, f"the service responded with {reply.status}")
        self._refused.add()
        if self.options.dry_run:
            context.warn("the service refuses the request", status=reply.status, dry_run=True)
            return None
        return response

    def _fail(self, context: Context, why: str) -> Response | None:
        self._failed.add()
        context.warn("the service did not decide", error=why, on_failure=self.options.on_failure)
        if self.options.on_failure == "pass" or self.options.dry_run:
            return None
        return Response(503, {"Retry-After": "5"}, error_page=True)

    def _admit(self, context: Context, fields: Sequence[Pair]) -> None:
        for name, value in fields:
            context.request.headers.add(name, value)
        if fields:
            context.vary_cache(blake2b(repr(fields).encode(), digest_size=16).digest())

    def response_head(self, context: Context) -> None:
        """Add what the service has for the client."""
        response = context.response
        assert response is not None
        for name, value in context.state.get("fields", ()):
            response.headers.add(name, value)


def _names(written: Strings) -> frozenset[bytes] | None:
    """Return the names of fields in lower case, None if there are none. Raises ValueError."""
    for name in written:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r:.100} is no name of a field such as Cookie")
    return frozenset(name.lower().encode() for name in written) or None
