"""Which users may pass. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adc_plugins.tokens.claims import find, matches
from adc_plugins.tokens.oidc_options import OidcOptions


class Admission:
    """The rules of the options."""

    def __init__(self, options: OidcOptions) -> None:
        self._options = options
        self._emails = frozenset(email.lower() for email in options.allow_emails)
        self._groups = list(options.allow_groups)

    def objection(self, claims: Mapping[str, Any]) -> str:
        """Return why a user with these claims may not pass, empty if they may. The text has nothing of the claims."""
        if (self._emails or self._groups) and not (self._has_email(claims) or self._has_group(claims)):
            return "neither email nor groups are allowed"
        for path, wanted in self._options.require.items():
            if not matches(find(claims, path), wanted):
                return f"the claim {path} is not one that is allowed"
        return ""

    def _has_email(self, claims: Mapping[str, Any]) -> bool:
        email = claims.get("email")
        if (
            not self._emails
            or not isinstance(email, str)
            or claims.get("email_verified", True) not in (True, "true")
        ):
            return False
        email = email.lower()
        return email in self._emails or f"@{email.rpartition('@')[2]}" in self._emails

    def _has_group(self, claims: Mapping[str, Any]) -> bool:
        return bool(self._groups) and matches(find(claims, self._options.groups_claim), self._groups)
