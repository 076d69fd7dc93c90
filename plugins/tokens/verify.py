"""Verification of a token: its form, its signature, its claims. No I/O."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adc_plugins.tokens.keys import KeyRing
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

LONGEST = 64 << 10
"""Characters of a token."""

_MOST_TRIED = 4
"""Keys that are tried for a token that names none."""

Claims = Mapping[str, Any]


class TokenRefused(Exception):
    """The token is not accepted; the text says why and has nothing of the token."""


class UnknownKey(TokenRefused):
    """No known key has the id that the token names."""


class _Registry(JWSRegistry):
    max_header_length = LONGEST
    max_payload_length = LONGEST
    max_signature_length = 2048

    def get_alg(self, name: str) -> Any:
        """Return the algorithm, which was allowed before, without the library's opinion of its name."""
        return self.algorithms[name]


@dataclass(frozen=True)
class Rules:
    """What a token must say. `issuer` and `audiences` empty: any; `present`: claims that it must have."""

    algorithms: frozenset[str]
    issuer: str = ""
    audiences: frozenset[str] = frozenset()
    leeway: float = 30.0
    present: tuple[str, ...] = ("exp",)


class Verifier:
    """Verifies tokens by `rules`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._registry = _Registry(algorithms=sorted(rules.algorithms), strict_check_header=False)

    def verify(self, token: str, keys: KeyRing, now: float) -> Claims:
        """Return the claims; `now` is wall-clock. Raises TokenRefused, or UnknownKey."""
        header = read_header(token)
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._rules.algorithms:
            raise TokenRefused("the algorithm of the token is not allowed")
        if kid is not None and not isinstance(kid, str):
            raise TokenRefused("the token is malformed")
        found = keys.find(kid, algorithm)
        if not found and kid is None:
            raise TokenRefused("no key fits the token")
        if not found:
            raise UnknownKey("the key of the token is unknown")
        claims = self._signed(token, algorithm, found)
        check_claims(claims, self._rules, now)
        return claims

    def _signed(self, token: str, algorithm: str, keys: list[Any]) -> Claims:
        for key in keys[:_MOST_TRIED]:
            try:
                return jwt.decode(token, key, algorithms=[algorithm], registry=self._registry).claims
            except (JoseError, ValueError, TypeError, binascii.Error):
                continue
        raise TokenRefused("the signature of the token is wrong")


def read_header(token: str) -> Mapping[str, Any]:
    """Return the header of a signed token, not verified. Raises TokenRefused."""
    parts = token.split(".")
    if len(parts) != 3 or not all(parts) or len(token) > LONGEST:
        raise TokenRefused("the token is malformed")
    try:
        data = base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4))
        header = json.loads(data)
    except (ValueError, RecursionError):
        raise TokenRefused("the token is malformed") from None
    if not isinstance(header, dict):
        raise TokenRefused("the token is malformed")
    return header


def check_claims(claims: Claims, rules: Rules, now: float) -> None:
    """Raise TokenRefused unless the claims follow the rules."""
    for name in rules.present:
        if name not in claims:
            raise TokenRefused(f"the token has no claim {name}")
    if "exp" in claims and now >= _time(claims["exp"]) + rules.leeway:
        raise TokenRefused("the token has expired")
    if "nbf" in claims and now < _time(claims["nbf"]) - rules.leeway:
        raise TokenRefused("the token is not valid yet")
    if "iat" in claims and now < _time(claims["iat"]) - rules.leeway:
        raise TokenRefused("the token was issued in the future")
    if rules.issuer and claims.get("iss") != rules.issuer:
        raise TokenRefused("the token is of another issuer")
    if rules.audiences and not rules.audiences & audiences(claims):
        raise TokenRefused("the token is for another audience")


def audiences(claims: Claims) -> frozenset[str]:
    """Return the audiences of a token."""
    found = claims.get("aud")
    listed = [found] if isinstance(found, str) else found
    return (
        frozenset(each for each in listed if isinstance(each, str))
        if isinstance(listed, list)
        else frozenset()
    )


def _time(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise TokenRefused("a time of the token is malformed")
