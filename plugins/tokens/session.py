"""The session of a user, and the login that leads to it, as text. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeVar

_PROTOCOL = frozenset(
    {
        "iss",
        "aud",
        "exp",
        "iat",
        "nbf",
        "nonce",
        "at_hash",
        "c_hash",
        "s_hash",
        "auth_time",
        "azp",
        "jti",
        "sid",
        "typ",
    }
)
_LONGEST_PATH = 2000


@dataclass(frozen=True)
class Session:
    """A user who has logged in. `until` and `refresh_at` are wall-clock; `refresh_at` 0: the provider gave no refresh
    token. `bearer`: the token for the member, if it gets one. `begun` (wall-clock) is the login, `sid` the session at
    the provider, if it names one."""

    claims: Mapping[str, Any]
    until: float
    refresh_at: float = 0.0
    refresh_token: str = ""
    bearer: str = ""
    id_token: str = ""
    begun: float = 0.0
    sid: str = ""

    def without_hint(self) -> Session:
        """Return the session without what a logout can do without."""
        return replace(self, id_token="")

    def __repr__(self) -> str:
        return "Session(***)"


@dataclass(frozen=True)
class Login:
    """A login that a browser has begun: what comes back must fit. `back` is the path to return to."""

    state: str
    nonce: str
    verifier: str
    back: str
    until: float

    def __repr__(self) -> str:
        return "Login(***)"


def user_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims about the user."""
    return {name: value for name, value in claims.items() if name not in _PROTOCOL}


def dump(value: Session | Login) -> bytes:
    """Return a session or login as bytes."""
    return json.dumps(asdict(value), separators=(",", ":")).encode()


ValueT = TypeVar("ValueT", Session, Login)


def load(kind: type[ValueT], data: bytes | None) -> ValueT | None:
    """Return what `dump` wrote; None for anything else."""
    if data is None:
        return None
    try:
        found = json.loads(data)
        return kind(**found) if found.keys() <= {field.name for field in fields(kind)} else None
    except (ValueError, TypeError, AttributeError):
        return None


def own_path(target: str) -> str:
    """Return a target if it is a path of this site, else `/`: a browser reads `//host` and `/\\host` as another one."""
    if not target.startswith("/") or target[1:2] in ("/", "\\") or len(target) > _LONGEST_PATH:
        return "/"
    return target if target.isascii() and target.isprintable() and " " not in target else "/"
