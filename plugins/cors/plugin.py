"""CORS: which pages of other origins may read responses (WHATWG Fetch, section 3.2)."""

from __future__ import annotations

import re
from typing import Annotated

from adc_plugins.cors.origins import OriginPattern, Origins
from pydantic import BeforeValidator, Field

from adc.plugin import Context, Duration, Headers, Host, OptionErrors, Options, Plugin, Response, Strings

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_REQUESTED = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z, \t]{1,4000}")
_ORIGIN_BYTES = re.compile(rb"[!-~]+")
_OWN = (
    b"access-control-allow-origin",
    b"access-control-allow-credentials",
    b"access-control-allow-methods",
    b"access-control-allow-headers",
    b"access-control-allow-private-network",
    b"access-control-expose-headers",
    b"access-control-max-age",
)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str | dict) else value


class CorsOptions(Options):
    """Preflights are answered here; the member's own fields of CORS are replaced."""

    origins: Annotated[list[str | OriginPattern], BeforeValidator(_listed), Field(min_length=1)]
    """Origins whose pages may read responses: `https://app.example.com`, all subdomains `https://*.example.com`,
    `{regex: ...}`, or `"*"` for all."""

    null_origin: bool = False
    """Allow the origin `null` too, which sandboxed frames and local files send: any site can make a page with it."""

    methods: Strings = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    """Methods that pages may use."""

    headers: Strings = ("*",)
    """Request fields that pages may set; `"*"` allows those that a preflight asks for."""

    expose: Strings = ()
    """Response fields that pages may read, besides the simple ones."""

    credentials: bool = False
    """Pages may send cookies and Authorization. Not together with the origin `"*"`."""

    max_age: Duration = 600.0
    """Time for which a browser remembers a preflight."""

    private_network: bool = False
    """Pages of public sites may reach this one in a private network (Private Network Access)."""


class Cors(Plugin[CorsOptions]):
    """Allows pages of other origins to read responses, and answers preflights.

    An allowed origin is named in the response, and `Vary: Origin` keeps caches from mixing origins up.
    """

    error_pages = True

    def __init__(self, options: CorsOptions) -> None:
        super().__init__(options)
        try:
            self._origins = Origins(options.origins, options.null_origin)
        except ValueError as error:
            raise OptionErrors([(("origins",), str(error))]) from None
        for key, names in (
            ("methods", options.methods),
            ("headers", options.headers),
            ("expose", options.expose),
        ):
            for name in names:
                if not _TOKEN.fullmatch(name):
                    raise OptionErrors([((key,), f"{name!r:.100} is no token such as GET or X-Name")])
        if options.credentials and self._origins.any:
            problem = 'with the origin "*" any site could act as the user; name the origins, or leave credentials out'
            raise OptionErrors([(("credentials",), problem)])
        self._open = self._origins.any and not options.null_origin
        self._methods = frozenset(method.encode() for method in options.methods)
        self._allow_methods = ", ".join(options.methods)
        self._any_header = "*" in options.headers
        self._allow_headers = ", ".join(name for name in options.headers if name != "*")
        self._expose = ", ".join(options.expose).encode()

    async def start(self, host: Host) -> None:
        """Declare the counters."""
        self._preflights = host.counter("preflights", "Preflights that were answered.")
        self._refused = host.counter("refused", "Preflights of origins that are not allowed.")

    def request_head(self, context: Context) -> Response | None:
        """Answer a preflight."""
        headers = context.request.headers
        if (
            context.request.method != "OPTIONS"
            or b"origin" not in headers
            or b"access-control-request-method" not in headers
        ):
            return None
        self._preflights.add()
        vary = {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
        origin = self._allowed(headers)
        if origin is None or headers.get(b"access-control-request-method") not in self._methods:
            self._refused.add()
            return Response(403, vary, "This origin or method is not allowed.\n")
        return Response(204, vary | self._preflight(origin, headers))

    def _preflight(self, origin: bytes, headers: Headers) -> dict[str, str]:
        fields = {
            "Access-Control-Allow-Origin": origin.decode("ascii"),
            "Access-Control-Allow-Methods": self._allow_methods,
        }
        asked = headers.joined(b"access-control-request-headers") or b""
        if self._any_header and _REQUESTED.fullmatch(asked):
            fields["Access-Control-Allow-Headers"] = asked.decode("ascii")
        elif self._allow_headers:
            fields["Access-Control-Allow-Headers"] = self._allow_headers
        if self.options.credentials:
            fields["Access-Control-Allow-Credentials"] = "true"
        if self.options.max_age:
            fields["Access-Control-Max-Age"] = str(int(self.options.max_age))
        if self.options.private_network and headers.get(b"access-control-request-private-network") == b"true":
            fields["Access-Control-Allow-Private-Network"] = "true"
        return fields

    def response_head(self, context: Context) -> None:
        """Replace the fields of the member by those for the origin that asks."""
        response = context.response
        assert response is not None
        headers = response.headers
        headers.remove(*_OWN)
        if not self._open:
            _vary(headers)
        origin = self._allowed(context.request.headers)
        if origin is None:
            return
        headers.add(b"Access-Control-Allow-Origin", origin)
        if self.options.credentials:
            headers.add(b"Access-Control-Allow-Credentials", b"true")
        if self._expose:
            headers.add(b"Access-Control-Expose-Headers", self._expose)

    def _allowed(self, headers: Headers) -> bytes | None:
        """Return the value that allows the origin of the request, None if it is not allowed or there is none."""
        values = headers.get_all(b"origin")
        if len(values) != 1 or not _ORIGIN_BYTES.fullmatch(values[0]):
            return None
        if self._open:
            return b"*"
        return values[0] if self._origins.allow(values[0].decode("ascii")) else None


def _vary(headers: Headers) -> None:
    listed = headers.joined(b"vary") or b""
    names = {name.strip(b" \t").lower() for name in listed.split(b",")}
    if not names & {b"origin", b"*"}:
        headers.add(b"Vary", b"Origin")
