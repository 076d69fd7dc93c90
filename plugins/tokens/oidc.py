"""Login at an OpenID Connect provider, for people with a browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from adc_plugins.tokens.backchannel import LONGEST_BODY, LogoutVerifier, logout_token
from adc_plugins.tokens.claims import as_field, find
from adc_plugins.tokens.cookies import Jar, TooLarge, without
from adc_plugins.tokens.discovery import ProviderFailed
from adc_plugins.tokens.key_source import KeySource
from adc_plugins.tokens.login_flow import LoginFailed, LoginFlow, Tokens, rules_of
from adc_plugins.tokens.logouts import Logouts
from adc_plugins.tokens.oidc_options import OidcOptions
from adc_plugins.tokens.oidc_paths import check_paths
from adc_plugins.tokens.provider import GrantRefused, Provider
from adc_plugins.tokens.sealed import Sealer
from adc_plugins.tokens.session import Session
from adc_plugins.tokens.session_store import CookieSessions, SessionStore, TableSessions
from adc_plugins.tokens.users import Admission
from adc_plugins.tokens.verify import TokenRefused
from cachetools import TTLCache

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
    with_place,
)

_NO_STORE = ("Cache-Control", "no-store")
_JSON = ("Content-Type", "application/json")
_EARLY = 30.0
"""Seconds before the end of an access token at which it is renewed."""

_GRACE = 120.0
"""Seconds after which a session ends that could not be renewed because the provider refused."""

_SYNC = 0.3
"""Seconds in which the session of a login at another machine arrives: the browser may come here at once."""

_SHARED = "oidc"
"""Routes with the same provider and client share sessions; others have their own keys in the tables."""

_RENEWING = 30.0
_MOST_RENEWED = 10_000
_OTHER_SITES = frozenset({b"cross-site"})

Answer = Response | None


class Oidc(Plugin[OidcOptions]):
    """Sends users without a session to the provider, and names them to the member. API requests get 401 instead."""

    error_pages = True
    default_timeout = 15.0

    def __init__(self, options: OidcOptions) -> None:
        super().__init__(options)
        with_place("issuer", check_url, options.issuer)
        check_paths(options)
        if "openid" not in options.scopes:
            raise OptionErrors([(("scopes",), "openid is missing, without which there is no ID token")])
        self._fields: IdentityFields = with_place("headers", IdentityFields, options.headers)
        self.identity = self._fields
        self._admission = Admission(options)
        self._jars = {scheme: Jar(options.cookie, scheme == "https") for scheme in ("http", "https")}
        self._names = tuple(jar.name.encode() for jar in self._jars.values())
        if options.session == "table":
            self.request_body_inspect = LONGEST_BODY
        else:
            self.unused = frozenset({"request_body"})

    def warnings(self) -> list[str]:
        """Warn of a provider whose replies anyone on the way could change."""
        if self.options.issuer.startswith("http:") and "//127." not in self.options.issuer:
            return ["the issuer is not of https: anyone on the way could log in as anybody"]
        return []

    async def start(self, host: Host) -> None:
        """Open the client, the keys and the sessions; begin to fetch metadata."""
        options = self.options
        self._host = host
        self._logins = host.counter("logins", "Logins that ended with a session.")
        self._failed = host.counter("failed", "Logins that failed.")
        self._denied = host.counter("denied", "Requests of users who are not allowed.")
        self._renewed = host.counter("renewed", "Sessions that the provider renewed.")
        self._ended = host.counter("provider_logouts", "Logouts that the provider sent.")
        client = host.http(timeout=options.fetch_timeout, most=1 << 20, ca_file=options.ca_file)
        secret = "" if options.client_secret is None else options.client_secret.reveal()
        self._provider = Provider(
            host,
            client,
            options.issuer,
            options.client_id,
            secret,
            refresh=options.metadata_refresh,
            retry=5.0,
        )
        keys = KeySource(
            host, client, self._provider.keys_url, refresh=options.metadata_refresh, retry=5.0, keep=86400.0
        )
        purpose = f"{options.issuer}\n{options.client_id}".encode()
        sealer = Sealer(await host.keys("session"))
        self._flow = LoginFlow(options, self._provider, keys, sealer, purpose)
        self._store: SessionStore = CookieSessions(sealer, purpose)
        if options.session == "table":
            table = host.table("sessions", options.sessions, options.scope, shared=_SHARED)
            self._logouts = Logouts(table, purpose, options.lifetime)
            self._logout_verifier = LogoutVerifier(rules_of(options), keys)
            self._store = TableSessions(table, sealer, purpose, self._logouts)
        self._elsewhere = options.session == "table" and options.scope == "cluster"
        self._claims = host.table("renewing", _MOST_RENEWED, shared=_SHARED)
        self._pending: TTLCache[bytes, asyncio.Future[Session | None]] = TTLCache(
            _MOST_RENEWED, _RENEWING, timer=host.now
        )
        host.spawn(keys.run())

    # A request.

    def request_head(self, context: Context) -> Answer | Coroutine[Any, Any, Answer]:
        """Let a user with a session pass."""
        request = context.request
        headers = request.headers
        self._fields.clear(headers)
        cookies = parse_cookies(headers)
        jar = self._jars["https" if self._is_secure(request) else "http"]
        if request.path == self.options.backchannel_path and self.options.session == "table":
            return None if request.method == "POST" else Response(405, [("Allow", "POST")], error_page=True)
        context.skip_request_body()
        if request.path == self.options.callback_path:
            return self._callback(context, jar, cookies)
        session = self._store.load(jar, cookies)
        if request.path == self.options.logout_path:
            return self._logout(context, jar, cookies, session)
        if session is None and self._elsewhere and jar.name in cookies:
            return self._fetched(context, jar, cookies)
        return self._decide(context, jar, cookies, session)

    def _is_secure(self, request: Request) -> bool:
        return request.scheme == "https" or self.options.public_url.startswith("https:")

    async def _fetched(self, context: Context, jar: Jar, cookies: Mapping[str, str]) -> Answer:
        session = await self._store.fetch(jar, cookies)
        if session is None and is_navigation(context.request):
            await self._host.sleep(_SYNC)
            session = await self._store.fetch(jar, cookies)
        result = self._decide(context, jar, cookies, session)
        return await result if isinstance(result, Coroutine) else result

    def _decide(
        self, context: Context, jar: Jar, cookies: Mapping[str, str], session: Session | None
    ) -> Answer | Coroutine[Any, Any, Answer]:
        now = self._host.wall()
        if session is None or now >= session.until:
            return self._stranger(context, jar, cookies)
        if session.refresh_at and now >= session.refresh_at:
            return self._renew(context, jar, cookies, session)
        return self._admit(context, session)

    def _admit(self, context: Context, session: Session) -> Answer:
        headers = context.request.headers
        why = self._admission.objection(session.claims)
        if why:
            self._denied.add()
            context.warn("the user is not allowed", reason=why)
            return Response(403, [_NO_STORE], error_page=True)
        without(headers, self._names)
        values = [
            (name.encode(), as_field(find(session.claims, path)))
            for name, path in self.options.headers.items()
        ]
        pairs = [(name, value) for name, value in values if value is not None]
        if session.bearer and self.options.bearer != "none":
            headers.set(b"Authorization", b"Bearer " + session.bearer.encode())
            pairs.append((b"", str(session.claims.get("sub")).encode("utf-8", "replace")))
        for name, value in pairs:
            if name:
                headers.add(name, value)
        if pairs:
            context.vary_cache(blake2b(repr(pairs).encode(), digest_size=16).digest())
        return None

    def _stranger(
        self, context: Context, jar: Jar, cookies: Mapping[str, str]
    ) -> Answer | Coroutine[Any, Any, Answer]:
        """Send a person to the provider; a program gets 401."""
        if is_navigation(context.request):
            return self._begin(context, jar, cookies)
        return Response(401, [("WWW-Authenticate", 'Bearer realm="login"'), _NO_STORE], error_page=True)

    async def _begin(self, context: Context, jar: Jar, cookies: Mapping[str, str]) -> Answer:
        try:
            url, lines = await self._flow.begin(context.request, jar, cookies, self._host.wall())
        except ProviderFailed as error:
            return self._unavailable(context, error)
        return _redirect(url, lines)

    def _unavailable(self, context: Context, error: Exception) -> Response:
        context.warn("the provider is not available", error=error)
        return Response(503, [("Retry-After", "5"), _NO_STORE], error_page=True)

    # The end of a login.

    async def _callback(self, context: Context, jar: Jar, cookies: Mapping[str, str]) -> Answer:
        now = self._host.wall()
        request = context.request
        try:
            tokens, back, lines = await self._flow.complete(request, jar, cookies, now)
            session = self._session(tokens, now, now + self.options.lifetime)
            why = self._admission.objection(session.claims)
            if why:
                raise LoginFailed(403, f"the user is not allowed: {why}")
            lines += self._store.save(jar, cookies, session, now, new=True)
        except ProviderFailed as error:
            return self._unavailable(context, error)
        except LoginFailed as error:
            self._failed.add()
            context.warn("the login failed", reason=error)
            return Response(error.status, [_NO_STORE], error_page=True)
        except TooLarge:
            self._failed.add()
            context.warn("the session is too large for cookies; use session: table")
            return Response(500, [_NO_STORE], error_page=True)
        finally:
            _hide_query(request)
        self._logins.add()
        return _redirect(back, lines)

    def _session(self, tokens: Tokens, now: float, until: float, before: Session | None = None) -> Session:
        options = self.options
        refresh_token = tokens.refresh_token or ("" if before is None else before.refresh_token)
        renewable = options.refresh and refresh_token and tokens.expires_in
        bearer = {"access_token": tokens.access_token, "id_token": tokens.id_token}.get(options.bearer, "")
        return Session(
            claims=tokens.claims,
            until=until,
            refresh_at=now + max(_EARLY, tokens.expires_in - _EARLY) if renewable else 0.0,
            refresh_token=refresh_token if renewable else "",
            bearer=bearer or ("" if before is None else before.bearer),
            id_token=tokens.id_token or ("" if before is None else before.id_token),
            begun=now if before is None else before.begun,
            sid=tokens.sid or ("" if before is None else before.sid),
        )

    # Renewal.

    async def _renew(
        self, context: Context, jar: Jar, cookies: Mapping[str, str], session: Session
    ) -> Answer:
        """Have the provider renew the session: once, whatever requests wait for it."""
        mark = blake2b(session.refresh_token.encode(), digest_size=16).digest()
        pending = self._pending.get(mark)
        if pending is None:
            pending = self._pending[mark] = asyncio.get_running_loop().create_future()
            try:
                self._host.spawn(self._ask_provider(session, mark, pending))
            except RuntimeError:  # too many renewals at once: this one waits
                pending.set_result(session)
        await asyncio.wait({pending})
        renewed = pending.result()
        if renewed is None:
            answer = self._stranger(context, jar, cookies)
            return await answer if isinstance(answer, Coroutine) else answer
        if renewed is not session and renewed != session:
            try:
                context.state["cookies"] = self._store.save(
                    jar, cookies, renewed, self._host.wall(), new=False
                )
            except TooLarge:
                context.warn("the renewed session is too large for cookies; use session: table")
        return self._admit(context, renewed)

    async def _ask_provider(
        self, session: Session, mark: bytes, done: asyncio.Future[Session | None]
    ) -> None:
        try:
            done.set_result(await self._renewed_session(session, mark))
        finally:
            if not done.done():
                done.set_result(session)

    async def _renewed_session(self, session: Session, mark: bytes) -> Session | None:
        """Return the new session; the same if another worker renews it or the provider is away; None if it ends."""
        now = self._host.wall()
        if self._claims.add(mark, 1, _RENEWING).total > 1:
            return session
        try:
            found = await self._provider.renew(session.refresh_token)
            tokens = await self._flow.accept(found, now, known=session.claims)
        except (GrantRefused, LoginFailed) as error:
            if now < session.refresh_at + _GRACE:
                return session
            self._host.warn("a session ends: the provider did not renew it", reason=error)
            return None
        except ProviderFailed as error:
            self._host.warn("a session was not renewed", error=error)
            return session
        self._renewed.add()
        return self._session(tokens, now, session.until, session)

    # The end of a session.

    async def _logout(
        self, context: Context, jar: Jar, cookies: Mapping[str, str], session: Session | None
    ) -> Answer:
        request = context.request
        if request.headers.get(b"sec-fetch-site") in _OTHER_SITES:
            return Response(403, [_NO_STORE], error_page=True)
        if session is None and self._elsewhere:
            session = await self._store.fetch(jar, cookies)
        lines = self._store.drop(jar, cookies)
        back = self._flow.base(request) + self.options.after_logout
        try:
            url = await self._provider.logout_url("" if session is None else session.id_token, back)
        except ProviderFailed:
            url = None
        return _redirect(url or self.options.after_logout, lines)

    async def request_body(self, context: Context, data: bytes, end: bool) -> Response:
        """End the sessions that the provider names: the request is for `backchannel_path`."""
        now = self._host.wall()
        try:
            if not end:
                raise TokenRefused("the request is too large")
            token = logout_token(context.request.headers.get(b"content-type") or b"", data)
            if not self._logouts.end(await self._logout_verifier.verify(token, now), now):
                raise TokenRefused("the token was received before")
        except ProviderFailed as error:
            return self._unavailable(context, error)
        except TokenRefused as error:
            context.warn("a logout of the provider was refused", reason=error)
            why = {"error": "invalid_request", "error_description": str(error)}
            return Response(400, [_NO_STORE, _JSON], json.dumps(why))
        self._ended.add()
        return Response(200, [_NO_STORE])

    def response_head(self, context: Context) -> None:
        """Add the cookies of a session that was renewed."""
        response = context.response
        assert response is not None
        for line in context.state.get("cookies", ()):
            response.headers.add(b"Set-Cookie", line.encode("latin-1"))


def is_navigation(request: Request) -> bool:
    """True if a person waits for a page: a redirect of a script's request would lead nowhere."""
    headers = request.headers
    if request.method not in ("GET", "HEAD") or b"x-requested-with" in headers:
        return False
    mode = headers.get(b"sec-fetch-mode")
    return (mode is None or mode == b"navigate") and b"text/html" in (
        headers.joined(b"accept") or b""
    ).lower()


def _redirect(url: str, cookies: Sequence[str]) -> Response:
    return Response(302, [("Location", url), _NO_STORE, *(("Set-Cookie", line) for line in cookies)])


def _hide_query(request: Request) -> None:
    """Keep code and state of a login out of the access log."""
    request.target, request.query = request.target.partition("?")[0], ""
