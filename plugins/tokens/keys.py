"""Keys that verify tokens, and which of them an algorithm may use."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import JWKRegistry, Key, OctKey

MOST_KEYS = 100
_FAMILIES = {"HS": "oct", "RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
ASYMMETRIC = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
SYMMETRIC = ("HS256", "HS384", "HS512")
_LEAST_SECRET = 32


def family(algorithm: str) -> str:
    """Return the type of key that an algorithm uses, in the words of a JWK (`kty`)."""
    return _FAMILIES[algorithm[:2]]


class KeyRing:
    """Keys by their id. `find` never returns a key of another family than the algorithm's: a public RSA key is no
    secret of HS256."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = list(keys)
        self.prints = frozenset(_print_of(key) for key in self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, kid: str | None, algorithm: str) -> list[Key]:
        """Return the keys that may verify a token: the one with its id, or all that fit if it names none."""
        wanted = family(algorithm)
        return [
            key
            for key in self._keys
            if key.key_type == wanted
            and (kid is None or key.kid == kid)
            and key.get("alg") in (None, algorithm)
        ]


def parse_jwks(text: bytes | str) -> KeyRing:
    """Return the keys of a JWK set; those that are for encryption, malformed, weak or of an unknown type are left out.

    Raises ValueError if nothing is left.
    """
    try:
        document = json.loads(text)
    except ValueError:
        raise ValueError("is no JSON") from None
    found = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(found, list):
        raise ValueError("is no set of keys (JWKS)")
    keys = [key for each in found[:MOST_KEYS] if (key := _imported(each)) is not None]
    if not keys:
        raise ValueError("has no key that can verify a signature")
    return KeyRing(keys)


def _imported(value: Any) -> Key | None:
    if not isinstance(value, dict) or value.get("use", "sig") != "sig":
        return None
    operations = value.get("key_ops")
    if isinstance(operations, list) and "verify" not in operations:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error", SecurityWarning)
        try:
            return JWKRegistry.import_key(value)
        except (JoseError, SecurityWarning, ValueError, TypeError, KeyError):
            return None


def parse_public_key(pem: str) -> KeyRing:
    """Return a public key of PEM text. Raises ValueError."""
    if "PRIVATE KEY" in pem:
        raise ValueError("is a private key; name the public one")
    for kind in ("RSA", "EC", "OKP"):
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)
            try:
                return KeyRing([JWKRegistry.import_key(pem, kind)])
            except SecurityWarning:
                raise ValueError("is too weak; RSA keys need 2048 bits") from None
            except (JoseError, ValueError, TypeError):
                continue
    raise ValueError("is no public key in PEM form (RSA, EC or Ed25519)")


def secret_key(text: str) -> KeyRing:
    """Return a shared secret. Raises ValueError."""
    if len(text.encode()) < _LEAST_SECRET:
        raise ValueError(f"has fewer than {_LEAST_SECRET} bytes, which can be guessed")
    with warnings.catch_warnings():
        warnings.simplefilter("error", SecurityWarning)
        try:
            return KeyRing([OctKey.import_key(text)])
        except (SecurityWarning, ValueError):
            raise ValueError("is a key in PEM form and no secret; name it as public_key") from None


def _print_of(key: Key) -> tuple[str, str]:
    return key.kid or "", key.thumbprint()
