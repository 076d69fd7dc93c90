"""A small OpenID provider on a port of 127.0.0.1: authorization code flow with PKCE, refresh tokens, logout."""

import base64
import hashlib
import secrets
import time
from urllib.parse import unquote, urlencode

from aiohttp import web

from tests.kit.tokens import jwks, key, token

SECRET = "the secret of a client"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class OpenIdProvider:
    """`user` are the claims of whoever logs in; `id_claims` override those of the protocol in ID tokens. `requests` are
    the names of the endpoints that were used, in order; `problems` what a client did wrong."""

    def __init__(self, client_id="web", client_secret=SECRET):
        self.client_id = client_id
        self.client_secret = client_secret
        self.user = {
            "sub": "alice",
            "email": "alice@example.com",
            "email_verified": True,
            "groups": ["staff"],
        }
        self.id_claims = {}
        self.expires_in = 300
        self.signed_by = key("EC", "provider")
        self.published = [self.signed_by]
        self.rotates = True
        self.down = False
        self.requests = []
        self.problems = []
        self.issued = []
        self._codes = {}
        self._refresh = {}
        self._access = {}

    async def __aenter__(self):
        app = web.Application()
        for name in ("configuration", "keys", "authorize", "token", "userinfo", "logout"):
            path = "/.well-known/openid-configuration" if name == "configuration" else f"/{name}"
            app.router.add_route("*", path, self._counted(name))
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        self.issuer = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *error):
        await self._runner.cleanup()

    def _counted(self, name):
        handle = getattr(self, f"_{name}")

        async def handler(request):
            self.requests.append(name)
            return web.Response(status=500) if self.down else await handle(request)

        return handler

    async def _configuration(self, request):
        names = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "keys",
            "userinfo_endpoint": "userinfo",
            "end_session_endpoint": "logout",
        }
        found = {name: f"{self.issuer}/{path}" for name, path in names.items()}
        return web.json_response({"issuer": self.issuer, **found})

    async def _keys(self, request):
        return web.Response(text=jwks(*self.published), content_type="application/json")

    async def _authorize(self, request):
        """Everybody is `user` here, and agrees."""
        asked = request.query
        self._expect(asked.get("client_id") == self.client_id, "client_id")
        self._expect(asked.get("response_type") == "code", "response_type")
        self._expect(asked.get("code_challenge_method") == "S256", "code_challenge_method")
        self._expect("openid" in asked.get("scope", "").split(), "scope")
        self._expect(
            len(asked.get("state", "")) >= 20 and len(asked.get("nonce", "")) >= 20, "state or nonce"
        )
        code = secrets.token_urlsafe(16)
        self._codes[code] = dict(asked)
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        raise web.HTTPFound(f"{asked['redirect_uri']}?{back}")

    async def _token(self, request):
        form = await request.post()
        if not self._is_client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        if form["grant_type"] == "refresh_token":
            asked = self._refresh.pop(form["refresh_token"], None)
            if asked is not None and not self.rotates:
                self._refresh[form["refresh_token"]] = asked
            return self._grant(asked, form)
        asked = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        right = asked is not None and challenge == asked["code_challenge"]
        if right and form["redirect_uri"] != asked["redirect_uri"]:
            right = False
        return self._grant(asked if right else None, form)

    def _grant(self, asked, form):
        if asked is None:
            self.problems.append("invalid_grant")
            return web.json_response({"error": "invalid_grant"}, status=400)
        access, refresh = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        half = hashlib.sha256(access.encode()).digest()[:16]
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **self.user,
            **self.id_claims,
        }
        found = {"id_token": token(claims, self.signed_by), "access_token": access, "token_type": "Bearer"}
        found["expires_in"] = self.expires_in
        self._access[access] = self.user
        if self.rotates or form["grant_type"] != "refresh_token":
            found["refresh_token"] = refresh
            self._refresh[refresh] = asked
        self.issued.append(found)
        return web.json_response(found)

    def logout_token(self, **claims):
        """A logout token for alice, with other `claims`: None leaves one out."""
        now = int(time.time())
        content = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(16),
            "events": {LOGOUT_EVENT: {}},
            "sub": "alice",
            **claims,
        }
        return token(content, self.signed_by, header={"typ": "logout+jwt"})

    async def _userinfo(self, request):
        user = self._access.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if user is None:
            return web.Response(status=401)
        return web.json_response({**user, "name": "Alice A."})

    async def _logout(self, request):
        raise web.HTTPFound(request.query["post_logout_redirect_uri"])

    def _is_client(self, request, form):
        scheme, _, data = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, given = base64.b64decode(data).decode().partition(":")
            return (unquote(name), unquote(given)) == (self.client_id, self.client_secret)
        return (form.get("client_id"), form.get("client_secret", "")) == (self.client_id, self.client_secret)

    def _expect(self, right, what):
        if not right:
            self.problems.append(what)
