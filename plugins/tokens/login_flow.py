"""A login at a provider: where a browser is sent, and what is made of what it brings back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from adc_plugins.tokens.cookies import Jar
from adc_plugins.tokens.key_source import KeySource
from adc_plugins.tokens.oidc_options import OidcOptions
from adc_plugins.tokens.provider import GrantRefused, Provider
from adc_plugins.tokens.sealed import Sealer, from_text, to_text
from adc_plugins.tokens.session import Login, dump, load, own_path, user_claims
from adc_plugins.tokens.verify import Rules, TokenRefused, Verifier, audiences, read_header

from adc.plugin import Request, parse_query

LOGIN_SECONDS = 600
MOST_LOGINS = 5
"""Logins that a browser may have begun at the same time, in as many tabs."""

_ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)


class LoginFailed(Exception):
    """The login is not accepted; `status` is for the client, the text for the log."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Tokens(NamedTuple):
    """What the provider gave: claims of the user, and its tokens."""

    claims: Mapping[str, Any]
    id_token: str
    access_token: str
    refresh_token: str
    expires_in: float
    sid: str


def rules_of(options: OidcOptions) -> Rules:
    """Return what an ID token must say."""
    audience = frozenset({options.client_id})
    return Rules(_ALGORITHMS, options.issuer, audience, options.leeway, ("exp", "iat", "sub"))


class LoginFlow:
    """The authorization code flow with PKCE. State, nonce and verifier are in an encrypted cookie of the browser that
    began the login, so that nobody can finish the login of another."""

    def __init__(
        self, options: OidcOptions, provider: Provider, keys: KeySource, sealer: Sealer, purpose: bytes
    ) -> None:
        self._options = options
        self._provider = provider
        self._keys = keys
        self._sealer = sealer
        self._purpose = b"login\n" + purpose
        self._verifier = Verifier(rules_of(options))

    def base(self, request: Request) -> str:
        """Return scheme and host of the site."""
        return self._options.public_url.rstrip("/") or f"{request.scheme}://{request.authority}"

    async def begin(
        self, request: Request, jar: Jar, cookies: Mapping[str, str], now: float
    ) -> tuple[str, list[str]]:
        """Return the URL to send the browser to, and Set-Cookie values. Raises ProviderFailed."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "redirect_uri": self.base(request) + self._options.callback_path,
            "scope": " ".join(self._options.scopes),
            "state": state,
            "nonce": nonce,
        }
        url = await self._provider.login_url(asked, verifier)
        login = Login(state, nonce, verifier, own_path(request.target), now + LOGIN_SECONDS)
        sealed = to_text(self._sealer.seal(dump(login), self._purpose))
        return url, [
            *self._too_many(jar, cookies),
            jar.write(self._cookie(jar, state), sealed, LOGIN_SECONDS),
        ]

    def _cookie(self, jar: Jar, state: str) -> str:
        return f"{jar.name}_login_{hashlib.sha256(state.encode('utf-8', 'replace')).hexdigest()[:16]}"

    def _too_many(self, jar: Jar, cookies: Mapping[str, str]) -> list[str]:
        """Return Set-Cookie values that remove logins that were begun and not finished, if there are many."""
        begun = [name for name in cookies if name.startswith(f"{jar.name}_login_")]
        return [jar.delete(name) for name in begun] if len(begun) >= MOST_LOGINS else []

    async def complete(
        self, request: Request, jar: Jar, cookies: Mapping[str, str], now: float
    ) -> tuple[Tokens, str, list[str]]:
        """Return the tokens of the login that ends here, the path to go back to, and Set-Cookie values. Raises
        LoginFailed or ProviderFailed."""
        answered = parse_query(request.query)
        if request.method != "GET" or any(len(values) != 1 for values in answered.values()):
            raise LoginFailed(400, "the request is no end of a login")
        values = {name: found[0] for name, found in answered.items()}
        name = self._cookie(jar, values.get("state", ""))
        sealed = from_text(cookies.get(name, ""))
        login = load(Login, self._sealer.open(sealed, self._purpose)) if sealed else None
        if login is None or not hmac.compare_digest(login.state.encode(), values.get("state", "").encode()):
            raise LoginFailed(400, "this browser has not begun the login")
        if now >= login.until:
            raise LoginFailed(400, "the login took too long")
        if values.get("iss", self._options.issuer) != self._options.issuer:
            raise LoginFailed(400, "another provider responded (RFC 9207)")
        if "error" in values or not values.get("code"):
            raise LoginFailed(403, "the provider refused the login")
        try:
            found = await self._provider.exchange(
                values["code"], login.verifier, self.base(request) + self._options.callback_path
            )
        except GrantRefused as error:
            raise LoginFailed(403, f"the provider refused the code: {error}") from None
        return await self.accept(found, now, nonce=login.nonce), login.back, [jar.delete(name)]

    async def accept(
        self, found: Mapping[str, Any], now: float, *, nonce: str = "", known: Mapping[str, Any] | None = None
    ) -> Tokens:
        """Return the tokens in a reply of the provider, verified. `known` are the claims of the session that is
        renewed: then an ID token may be missing, and may not be of another user. Raises LoginFailed or
        ProviderFailed."""
        id_token, access = _text(found, "id_token"), _text(found, "access_token")
        if not id_token and known is None:
            raise LoginFailed(403, "the provider gave no ID token")
        claims = await self._verified(id_token, access, now, nonce) if id_token else {}
        subject = claims.get("sub") if known is None else known.get("sub")
        if known is not None and claims and claims.get("sub") != subject:
            raise LoginFailed(403, "the provider renewed the session of another user")
        about = user_claims(claims) if claims else dict(known or {})
        if self._options.userinfo and access:
            more = await self._provider.userinfo(access)
            if more.get("sub") != subject:
                raise LoginFailed(403, "the provider's userinfo is about another user")
            about = {**user_claims(more), **about}
        expires = found.get("expires_in")
        seconds = float(expires) if isinstance(expires, int | float) and 0 < expires < 1e9 else 0.0
        return Tokens(about, id_token, access, _text(found, "refresh_token"), seconds, _text(claims, "sid"))

    async def _verified(self, id_token: str, access: str, now: float, nonce: str) -> Mapping[str, Any]:
        """Return the claims of an ID token (OpenID Connect Core 1.0 section 3.1.3.7)."""
        try:
            claims = await self._keys.claims_of(id_token, self._verifier, now)
        except TokenRefused as error:
            raise LoginFailed(403, str(error)) from None
        client = self._options.client_id
        several = len(audiences(claims)) > 1
        if claims.get("azp", client) != client or (several and "azp" not in claims):
            raise LoginFailed(403, "the ID token was made for another client")
        if nonce and not hmac.compare_digest(nonce.encode(), str(claims.get("nonce", "")).encode()):
            raise LoginFailed(403, "the ID token is not of this login")
        if access and "at_hash" in claims and not _is_hash(claims["at_hash"], access, id_token):
            raise LoginFailed(403, "the access token does not belong to the ID token")
        return claims


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else ""


def _is_hash(written: Any, access: str, id_token: str) -> bool:
    """True if `at_hash` is that of the access token: half of a digest of the size that the algorithm has."""
    size = str(read_header(id_token).get("alg"))[-3:]
    name = f"sha{size}" if size in ("256", "384", "512") else "sha512"
    digest = hashlib.new(name, access.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    return hmac.compare_digest(half, str(written).encode())
