"""Options of `oidc`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from adc.plugin import Duration, FilePath, Options, Secret, Strings


class OidcOptions(Options):
    """The provider must know `https://SITE/oauth2/callback` as a redirect URI of the client."""

    issuer: str
    """The provider; its metadata say everything else."""

    client_id: str = Field(min_length=1, max_length=500)
    """Name of this client at the provider."""

    client_secret: Secret | None = None
    """Secret of this client: a text such as `${OIDC_SECRET}`, or `{file: PATH}`. Public clients have none."""

    scopes: Strings = ("openid", "email", "profile")
    """Scopes to ask for; `offline_access` asks some providers for a refresh token."""

    headers: dict[str, str] = Field(
        default_factory=lambda: {"X-Forwarded-User": "sub", "X-Forwarded-Email": "email"}
    )
    """Request fields for the member, and the claims that they get. A client cannot send them."""

    allow_emails: Strings = ()
    """Users by email address, or all of a domain: `[ann@example.com, "@example.org"]`. An address that the provider
    calls not verified (`email_verified`) does not count."""

    allow_groups: Strings = ()
    """Groups: a user must be in one of them. With `allow_emails` too, one of both is enough."""

    groups_claim: str = "groups"
    """Claim with the groups of a user; a path such as `realm_access.roles` reaches inner claims."""

    require: dict[str, Any] = Field(default_factory=dict)
    """Claims that a user must have, and their values or a list of allowed values."""

    session: Literal["cookie", "table"] = "cookie"
    """`cookie`: sessions are kept by the browser, encrypted. `table`: in the state of this node, so that a logout ends
    them."""

    scope: Literal["node", "cluster"] = "node"
    """Where the table is; `cluster` needs `state: {backend: redis}`."""

    sessions: int = Field(100_000, ge=100, le=10_000_000)
    """Values of sessions in the table; a session takes about four."""

    lifetime: Duration = 28800.0
    """Time after which a user logs in again; usually the provider does not ask for a password then."""

    refresh: bool = True
    """Ask the provider again, with its refresh token, when its access token expires: a user who was removed there loses
    the session."""

    bearer: Literal["none", "access_token", "id_token"] = "none"
    """Token that the member gets as `Authorization: Bearer`."""

    userinfo: bool = False
    """Ask the provider's userinfo endpoint for further claims at each login."""

    cookie: str = Field("adc_session", pattern=r"^[A-Za-z0-9_\-]{1,60}$")
    """Name of the cookies; over https with `__Host-` in front."""

    callback_path: str = "/oauth2/callback"
    """Path that the provider sends users back to. The route must match it."""

    logout_path: str = "/oauth2/logout"
    """Path that ends the session, here and at the provider. The route must match it."""

    backchannel_path: str = "/oauth2/backchannel_logout"
    """Path to which the provider posts logouts (OpenID Connect Back-Channel Logout 1.0), with `session: table`. The
    route must match it."""

    after_logout: str = "/"
    """Path that a user sees after that."""

    public_url: str = ""
    """Scheme and host of the site as users see it, `https://www.example.com`. Default: those of each request."""

    leeway: Duration = 30.0
    """Difference of clocks that is tolerated."""

    metadata_refresh: Duration = 3600.0
    """Time after which metadata and keys of the provider are fetched again."""

    fetch_timeout: Duration = 4.0
    """Timeout of a request to the provider."""

    ca_file: FilePath | None = None
    """Authorities to trust for `https`, instead of the machine's."""
