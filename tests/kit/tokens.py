"""Keys and signed tokens."""

import functools
import json
import time
import warnings

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

ISSUER = "https://id.example.com"
SECRET = "s" * 32


def key(kind="EC", kid="one", size=None):
    """A private key, made once."""
    return _key(kind, kid, size)


@functools.cache
def _key(kind, kid, size):
    make = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}[kind].generate_key
    default = {"RSA": 2048, "EC": "P-256", "OKP": "Ed25519"}[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return make(size or default, {"kid": kid} if kid else None)


@functools.cache
def secret(text=SECRET):
    return OctKey.import_key(text)


def jwks(*keys):
    """The public keys as a JWKS."""
    return json.dumps({"keys": [each.as_dict(private=False) for each in keys]})


def token(claims=None, signed_by=None, algorithm="ES256", header=None, now=None, **more):
    """A token that is valid for five minutes unless `claims` say something else."""
    signed_by = signed_by or key()
    now = time.time() if now is None else now
    head = {"alg": algorithm, **({"kid": signed_by.kid} if signed_by.kid else {}), **(header or {})}
    content = {"iss": ISSUER, "aud": "api", "sub": "alice", "exp": int(now) + 300, **(claims or {}), **more}
    content = {name: value for name, value in content.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.encode(head, content, signed_by, algorithms=[algorithm])
