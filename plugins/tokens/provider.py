"""An OpenID provider: its metadata, and the requests that a login makes of it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from math import inf
from typing import Any
from urllib.parse import quote, urlencode

from adc_plugins.tokens.discovery import ProviderFailed, discover, endpoint, json_object

from adc.plugin import Host, HttpClient, HttpFailed

_FORM = (b"Content-Type", b"application/x-www-form-urlencoded")
_JSON = (b"Accept", b"application/json")
_SHOWN = frozenset("abcdefghijklmnopqrstuvwxyz_")


class GrantRefused(Exception):
    """The provider refused a code or a refresh token; the text is its error code."""


class Provider:
    """One provider. Its metadata are fetched at the first need and again after `refresh` seconds; while that fails the
    known ones are used on, and a further fetch waits for `retry` seconds."""

    def __init__(
        self,
        host: Host,
        client: HttpClient,
        issuer: str,
        client_id: str,
        client_secret: str,
        *,
        refresh: float,
        retry: float,
    ) -> None:
        self._host = host
        self._client = client
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._refresh = refresh
        self._retry = retry
        self._metadata: Mapping[str, Any] | None = None
        self._due = -inf
        self._lock = asyncio.Lock()

    async def metadata(self) -> Mapping[str, Any]:
        """Return the metadata. Raises ProviderFailed."""
        async with self._lock:
            now = self._host.now()
            if now >= self._due:
                self._due = now + self._retry
                try:
                    self._metadata = await discover(self._client, self._issuer)
                    self._due = now + self._refresh
                except ProviderFailed as error:
                    self._host.warn("the metadata of the provider were not fetched", error=error)
        if self._metadata is None:
            raise ProviderFailed("the provider is not known yet")
        return self._metadata

    async def endpoint(self, name: str) -> str:
        """Return a URL of the metadata. Raises ProviderFailed."""
        return endpoint(await self.metadata(), name, self._issuer)

    async def keys_url(self) -> str:
        """Return the URL of the keys. Raises ProviderFailed."""
        return await self.endpoint("jwks_uri")

    async def login_url(self, parameters: Mapping[str, str], verifier: str) -> str:
        """Return the URL that a browser is sent to. Raises ProviderFailed."""
        challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._client_id,
            **parameters,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return with_query(await self.endpoint("authorization_endpoint"), asked)

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """Return the tokens for a code. Raises ProviderFailed or GrantRefused."""
        parts = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return await self._tokens({**parts, "code_verifier": verifier})

    async def renew(self, refresh_token: str) -> Mapping[str, Any]:
        """Return new tokens for a refresh token. Raises ProviderFailed or GrantRefused."""
        return await self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def _tokens(self, form: dict[str, str]) -> Mapping[str, Any]:
        url = await self.endpoint("token_endpoint")
        fields = [_FORM, _JSON]
        methods = (await self.metadata()).get(
            "token_endpoint_auth_methods_supported", ["client_secret_basic"]
        )
        form["client_id"] = self._client_id
        if self._client_secret and "client_secret_basic" in methods:
            pair = f"{quote(self._client_id, safe='')}:{quote(self._client_secret, safe='')}"
            fields.append((b"Authorization", b"Basic " + base64.b64encode(pair.encode())))
        elif self._client_secret:
            form["client_secret"] = self._client_secret
        try:
            reply = await self._client.request("POST", url, fields, urlencode(form).encode())
        except (HttpFailed, ValueError) as error:
            raise ProviderFailed(str(error)) from None
        if 400 <= reply.status < 500:
            raise GrantRefused(_error_of(reply.content))
        if reply.status != 200:
            raise ProviderFailed(f"{url} responded with {reply.status}")
        return json_object(reply.content, url)

    async def userinfo(self, access_token: str) -> Mapping[str, Any]:
        """Return the claims that the provider has besides those of the token. Raises ProviderFailed."""
        url = await self.endpoint("userinfo_endpoint")
        fields = [_JSON, (b"Authorization", b"Bearer " + access_token.encode("utf-8", "replace"))]
        try:
            reply = await self._client.request("GET", url, fields)
        except (HttpFailed, ValueError):
            raise ProviderFailed("the provider did not say who the user is") from None
        if reply.status != 200:
            raise ProviderFailed(f"{url} responded with {reply.status}")
        return json_object(reply.content, url)

    async def logout_url(self, id_token: str, back: str) -> str | None:
        """Return the URL at which the provider ends its own session (RP-Initiated Logout), None if it has none."""
        try:
            url = await self.endpoint("end_session_endpoint")
        except ProviderFailed:
            return None
        asked = {"client_id": self._client_id, "post_logout_redirect_uri": back}
        return with_query(url, {**asked, "id_token_hint": id_token} if id_token else asked)


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return a URL with further query parameters."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def _error_of(content: bytes) -> str:
    """Return the error code of RFC 6749 in a reply, without anything else of it."""
    try:
        code = json.loads(content).get("error")
    except (ValueError, AttributeError, RecursionError):
        code = None
    return (
        code if isinstance(code, str) and code and len(code) < 60 and set(code) <= _SHOWN else "unknown_error"
    )
