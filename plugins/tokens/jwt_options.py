"""Options of `jwt`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from adc.plugin import Duration, FilePath, Options, Secret, Strings


class JwtOptions(Options):
    """The keys come from one place: `issuer` alone, `jwks_url`, `jwks_file`, `public_key` or `secret`."""

    issuer: str = ""
    """The issuer that tokens must name (`iss`). Without another place for keys, its metadata say where they are."""

    jwks_url: str = ""
    """URL of the issuer's keys (JWKS)."""

    jwks_file: FilePath | None = None
    """File with a JWKS; read again when it changes."""

    public_key: Secret | None = None
    """A public key in PEM form: the text, or `{file: PATH}`."""

    secret: Secret | None = None
    """A shared secret of 32 bytes or more, for HS256, HS384 and HS512."""

    audience: Strings = ()
    """Audiences (`aud`): a token must be for one of them."""

    algorithms: Strings = ()
    """Algorithms that are accepted. Default: RS, PS, ES and EdDSA with public keys, HS256 with a secret."""

    leeway: Duration = 30.0
    """Difference of clocks that is tolerated."""

    present: Strings = ("exp",)
    """Claims that each token must have."""

    require: dict[str, Any] = Field(default_factory=dict)
    """Claims and their values, or a list of allowed values: `{groups: [staff, admin]}`. A path such as
    `realm_access.roles` reaches inner claims. Otherwise 403."""

    scopes: Strings = ()
    """Scopes that a token must have, all of them. Otherwise 403."""

    cookie: str = ""
    """Cookie that may have the token, if there is no Authorization field."""

    query: str = ""
    """Query parameter that may have the token; it is removed, so that neither logs nor members have it."""

    headers: dict[str, str] = Field(default_factory=dict)
    """Request fields for the member, and the claims that they get: `{X-User: sub}`. A client cannot send them."""

    authorization: Literal["keep", "remove"] = "keep"
    """`remove`: the member does not see the token of the Authorization field."""

    optional: bool = False
    """Requests without a token pass, without the fields. A wrong token is refused all the same."""

    dry_run: bool = False
    """Nothing is refused: what would be is counted and logged."""

    realm: str = "api"
    """Name in `WWW-Authenticate`."""

    refresh: Duration = 600.0
    """Time after which the keys are fetched again, in the background."""

    retry: Duration = 30.0
    """Shortest time between two fetches, also when tokens name unknown keys."""

    keep: Duration = 86400.0
    """Time for which known keys are used while the issuer cannot be reached."""

    fetch_timeout: Duration = 5.0
    """Timeout of a fetch."""

    ca_file: FilePath | None = None
    """Authorities to trust for `https`, instead of the machine's."""

    cache_size: int = Field(10_000, ge=0, le=1_000_000)
    """Verified tokens that a worker remembers until they expire."""
