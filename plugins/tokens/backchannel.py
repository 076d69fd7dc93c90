"""Logouts that the provider sends (OpenID Connect Back-Channel Logout 1.0): what a token must say. No I/O but keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from adc_plugins.tokens.key_source import KeySource
from adc_plugins.tokens.verify import LONGEST, Claims, Rules, TokenRefused, Verifier, read_header

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_BODY = LONGEST + 1024
"""Bytes of a request with a logout token."""

OLDEST = 300.0
"""Seconds after which a logout token is not accepted any more, whatever `exp` it has."""

_FORM = b"application/x-www-form-urlencoded"
_TYPES = frozenset({"jwt", "logout+jwt", "application/logout+jwt"})
_LONGEST_NAME = 255
_MOST_FIELDS = 20


class Logout(NamedTuple):
    """Whose sessions end: those of a session at the provider (`sid`), or of a user (`sub`); one may be empty. `jti` is
    the name of the token."""

    sub: str
    sid: str
    jti: str


def logout_token(content_type: bytes, body: bytes) -> str:
    """Return the token in a request (section 2.5). Raises TokenRefused."""
    if content_type.partition(b";")[0].strip().lower() != _FORM:
        raise TokenRefused("the request is no form")
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=_MOST_FIELDS).get("logout_token", [])
    except ValueError:
        raise TokenRefused("the form is malformed") from None
    if len(found) != 1:
        raise TokenRefused("the form has no logout_token, or several")
    return found[0]


class LogoutVerifier:
    """Verifies logout tokens (section 2.6) by the keys of the provider."""

    def __init__(self, rules: Rules, keys: KeySource) -> None:
        self._verifier = Verifier(replace(rules, present=("iat", "jti", "events")))
        self._leeway = rules.leeway
        self._keys = keys

    async def verify(self, token: str, now: float) -> Logout:
        """Return whose sessions end. Raises TokenRefused or ProviderFailed."""
        kind = read_header(token).get("typ", "JWT")
        if not isinstance(kind, str) or kind.lower() not in _TYPES:
            raise TokenRefused("the token is of another type")
        claims = await self._keys.claims_of(token, self._verifier, now)
        if now > float(claims["iat"]) + OLDEST + self._leeway:
            raise TokenRefused("the token is too old")
        return _logout(claims)


def _logout(claims: Claims) -> Logout:
    events = claims["events"]
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise TokenRefused("the token is about another event")
    if "nonce" in claims:
        raise TokenRefused("the token has a nonce: it is an ID token")
    logout = Logout(_name(claims, "sub"), _name(claims, "sid"), _name(claims, "jti"))
    if not logout.jti or not (logout.sub or logout.sid):
        raise TokenRefused("the token names neither sub nor sid, or no jti")
    return logout


def _name(claims: Claims, name: str) -> str:
    value: Any = claims.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST_NAME:
        raise TokenRefused(f"the claim {name} is malformed")
    return value
