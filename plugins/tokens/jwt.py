"""Tokens that clients bring, verified before a member sees the request (RFC 7519, RFC 6750)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Coroutine, Sequence
from hashlib import blake2b
from typing import Any

from adc_plugins.tokens.claims import as_field, find, has_scopes, matches
from adc_plugins.tokens.discovery import discover, endpoint
from adc_plugins.tokens.jwt_options import JwtOptions
from adc_plugins.tokens.key_source import KeySource
from adc_plugins.tokens.keys import ASYMMETRIC, SYMMETRIC, KeyRing, parse_jwks, parse_public_key, secret_key
from adc_plugins.tokens.verify import Claims, Rules, TokenRefused, UnknownKey, Verifier, read_header
from cachetools import TLRUCache

from adc.plugin import (
    Context,
    Host,
    IdentityFields,
    OptionErrors,
    Plugin,
    Request,
    Response,
    check_url,
    parse_cookies,
    parse_query,
    with_place,
)

_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9\-._~+/]+=*) *")
_QUOTABLE = re.compile(r"[ !#-\[\]-~]{1,200}")
_PLACES = ("jwks_url", "jwks_file", "public_key", "secret")
_LONGEST_KEPT = 3600.0
_MOST_FILE = 1 << 20
_LONGEST = 16 << 10
"""Bytes of a token that a request may bring."""

_LENIENT = re.compile(rb"[ \t,]*bearer[^A-Za-z0-9]*[A-Za-z0-9]", re.IGNORECASE)
"""What an application may read as a token, though it is not written as RFC 6750 has it."""

Pairs = Sequence[tuple[bytes, bytes]]


class Forbidden(Exception):
    """The token is right, but not enough; the text says what is missing."""


class Jwt(Plugin[JwtOptions]):
    """Lets requests with a valid token pass. Others get 401, and 403 if the token does not allow enough.

    A verified token is remembered until it expires, so that a further request costs a digest.
    """

    def __init__(self, options: JwtOptions) -> None:
        super().__init__(options)
        self._keys: KeyRing | None = None
        self._source: KeySource | None = None
        self._check()
        self._fields = self.identity = IdentityFields(options.headers)
        audiences = frozenset(options.audience)
        rules = Rules(self._algorithms(), options.issuer, audiences, options.leeway, tuple(options.present))
        self._verifier = Verifier(rules)
        self._digest_key = secrets.token_bytes(32)

    def _check(self) -> None:
        options = self.options
        named = [place for place in _PLACES if getattr(options, place)]
        if len(named) > 1:
            raise OptionErrors([((named[1],), f"keys come from one place, and {named[0]} is another")])
        if not named and not options.issuer:
            raise ValueError(f"nothing says where keys are; name one of issuer, {', '.join(_PLACES)}")
        for key in ("jwks_url", *(() if named else ("issuer",))):
            if value := getattr(options, key):
                with_place(key, check_url, value)
        texts = {"realm": [options.realm], "scopes": options.scopes, "require": options.require}
        for key, values in {**texts, "present": options.present}.items():
            if not all(_QUOTABLE.fullmatch(value) for value in values):
                problem = "has text that is not 1 to 200 printable ASCII characters without quotes"
                raise OptionErrors([((key,), problem)])
        with_place("headers", IdentityFields, options.headers)
        self._read()

    def _read(self) -> None:
        """Read the keys that need no fetch. Raises OptionErrors."""
        options = self.options
        if options.secret is not None:
            self._keys = with_place("secret", secret_key, options.secret.reveal())
        elif options.public_key is not None:
            self._keys = with_place("public_key", parse_public_key, options.public_key.reveal())
        elif options.jwks_file is not None:
            self._keys = with_place("jwks_file", self._read_file)

    def _read_file(self) -> KeyRing:
        path = self.options.jwks_file
        assert path is not None
        try:
            with path.open("rb") as file:
                data = file.read(_MOST_FILE)
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        try:
            return parse_jwks(data)
        except ValueError as error:
            raise ValueError(f"{path} {error}") from None

    def _algorithms(self) -> frozenset[str]:
        """Return the algorithms. Never those of secrets beside those of public keys."""
        options = self.options
        symmetric = options.secret is not None
        allowed = SYMMETRIC if symmetric else ASYMMETRIC
        for name in options.algorithms:
            if name not in allowed:
                kind = "a secret" if symmetric else "public keys"
                problem = f"{name!r:.40} is not allowed with {kind}; use {', '.join(allowed)}"
                raise OptionErrors([(("algorithms",), problem)])
        return frozenset(options.algorithms or (("HS256",) if symmetric else ASYMMETRIC))

    def warnings(self) -> list[str]:
        """Warn of tokens that were made for others."""
        if self.options.audience:
            return []
        return ["no audience is named: tokens that the issuer made for other services are accepted too"]

    async def start(self, host: Host) -> None:
        """Begin to fetch keys, or watch their file."""
        options = self.options
        self._host = host
        self._missing = host.counter("missing", "Requests without a token.")
        self._refused = host.counter("refused", "Requests with a token that is not accepted.")
        self._forbidden = host.counter("forbidden", "Requests whose token does not allow enough.")
        self._verified = host.counter("verified", "Tokens whose signature was verified.")
        self._known: TLRUCache[bytes, tuple[Pairs, float]] = TLRUCache(
            max(1, options.cache_size), ttu=lambda _, value, now: value[1], timer=host.wall
        )
        if options.jwks_file is not None:
            host.watch_file(options.jwks_file, self._reload)
        elif self._keys is None:
            client = host.http(timeout=options.fetch_timeout, most=_MOST_FILE, ca_file=options.ca_file)

            async def locate() -> str:
                return options.jwks_url or endpoint(
                    await discover(client, options.issuer), "jwks_uri", options.issuer
                )

            self._source = KeySource(
                host, client, locate, refresh=options.refresh, retry=options.retry, keep=options.keep
            )
            self._source.changed = self._known.clear
            host.spawn(self._source.run())

    def _reload(self) -> None:
        try:
            self._read()
        except OptionErrors as error:
            self._host.warn("the keys stay as they were", error=error)
        else:
            self._known.clear()

    # A request.

    def request_head(self, context: Context) -> Response | Coroutine[Any, Any, Response | None] | None:
        """Let the request pass if its token is known; else verify it."""
        request = context.request
        self._fields.clear(request.headers)
        try:
            token = self._token(request)
        except TokenRefused as error:
            return self._refuse(context, "invalid_token", str(error))
        if token is None:
            return None if self.options.optional else self._refuse(context, "", "there is no token")
        mark = blake2b(token.encode(), digest_size=16, key=self._digest_key).digest()
        known = self._known.get(mark)
        if known is not None:
            self._admit(context, known[0])
            return None
        keys = self._keys if self._source is None else self._source.ring
        try:
            if keys is None:
                read_header(token)
                return self._after_fetch(context, mark, token)
            return self._judge(context, mark, token, keys)
        except UnknownKey as error:
            if self._source is None:
                return self._refuse(context, "invalid_token", str(error))
            return self._after_fetch(context, mark, token)
        except TokenRefused as error:
            return self._refuse(context, "invalid_token", str(error))

    async def _after_fetch(self, context: Context, mark: bytes, token: str) -> Response | None:
        assert self._source is not None
        keys = await self._source.look_again()
        if keys is None:
            context.warn("there are no keys of the issuer to verify tokens with")
            return None if self.options.dry_run else Response(503, {"Retry-After": "5"}, error_page=True)
        try:
            return self._judge(context, mark, token, keys)
        except UnknownKey as error:
            return self._refuse(context, "invalid_token", str(error))

    def _judge(self, context: Context, mark: bytes, token: str, keys: KeyRing) -> Response | None:
        """Verify the token. Raises UnknownKey."""
        now = self._host.wall()
        self._verified.add()
        try:
            claims = self._verifier.verify(token, keys, now)
            self._allow(claims)
        except UnknownKey:
            raise
        except TokenRefused as error:
            return self._refuse(context, "invalid_token", str(error))
        except Forbidden as error:
            return self._refuse(context, "insufficient_scope", str(error))
        pairs = self._pairs(claims)
        if self.options.cache_size:
            self._known[mark] = (
                pairs,
                min(float(claims.get("exp", now)) + self.options.leeway, now + _LONGEST_KEPT),
            )
        self._admit(context, pairs)
        return None

    def _allow(self, claims: Claims) -> None:
        options = self.options
        if options.scopes and not has_scopes(claims, options.scopes):
            raise Forbidden("the token has not all scopes that are needed")
        for path, wanted in options.require.items():
            if not matches(find(claims, path), wanted):
                raise Forbidden(f"the claim {path} of the token is not one that is allowed")

    def _pairs(self, claims: Claims) -> Pairs:
        values = [
            (name.encode(), as_field(find(claims, path))) for name, path in self.options.headers.items()
        ]
        return [(name, value) for name, value in values if value is not None]

    def _admit(self, context: Context, pairs: Pairs) -> None:
        headers = context.request.headers
        if self.options.authorization == "remove":
            headers.remove(b"authorization")
        for name, value in pairs:
            headers.add(name, value)
        if pairs:
            context.vary_cache(blake2b(repr(pairs).encode(), digest_size=16).digest())

    def _token(self, request: Request) -> str | None:
        """Return the token; one of the query is removed. Raises TokenRefused."""
        options, headers = self.options, request.headers
        asked = _taken(request, options.query) if options.query else None
        token = _bearer(headers.get_all(b"authorization"))
        if token is None and options.cookie:
            token = parse_cookies(headers).get(options.cookie) or None
        if token is None:
            token = asked
        if token is not None and len(token) > _LONGEST:
            raise TokenRefused("the token is too long")
        return token

    def _refuse(self, context: Context, error: str, why: str) -> Response | None:
        counter = (
            self._forbidden if error == "insufficient_scope" else self._refused if error else self._missing
        )
        counter.add()
        if error:
            context.warn("the token is refused", reason=why, dry_run=self.options.dry_run)
        if self.options.dry_run:
            return None
        parts = [f'Bearer realm="{self.options.realm}"']
        if error:
            parts += [f'error="{error}"', f'error_description="{why}"']
        if error == "insufficient_scope" and self.options.scopes:
            parts.append(f'scope="{" ".join(self.options.scopes)}"')
        status = 403 if error == "insufficient_scope" else 401
        return Response(status, {"WWW-Authenticate": ", ".join(parts)}, error_page=True)


def _bearer(values: list[bytes]) -> str | None:
    """Return the token of the Authorization fields. Raises TokenRefused for anything else that an application could
    read as one: it would take the token for verified."""
    found = _BEARER.fullmatch(values[0]) if len(values) == 1 else None
    if found is not None:
        return found[1].decode("ascii")
    if any(map(_LENIENT.match, values)):
        raise TokenRefused("the token is malformed" if len(values) == 1 else "there are several tokens")
    return None


def _taken(request: Request, name: str) -> str | None:
    """Remove a parameter from the query and return its first value."""
    if name not in request.query and "%" not in request.query:
        return None
    fields = [(field, parse_query(field)) for field in request.query.split("&")]
    values = [value for _, parsed in fields for value in parsed.get(name, ())]
    if not values:
        return None
    request.query = "&".join(field for field, parsed in fields if name not in parsed)
    path = request.target.partition("?")[0]
    request.target = f"{path}?{request.query}" if request.query else path
    return values[0] or None
