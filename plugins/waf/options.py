"""Options of the plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from adc.plugin import FilePath, Options, Size

CORE = "core"
SENSITIVE = (
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "cookie",
    "session",
    "api-key",
    "api_key",
    "apikey",
    "credit",
    "card_number",
    "cvv",
    "ssn",
)


def _rule_path(value: object, info: ValidationInfo) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is neither `core` nor the path of a file or folder of rules")
    return value if value == CORE else str(Path((info.context or {}).get("folder", ""), value))


RulePath = Annotated[str, BeforeValidator(_rule_path)]


class WafOptions(Options):
    """What a route's firewall does."""

    rules: tuple[RulePath, ...] = Field((CORE,), min_length=1)
    """`core`, the bundled rules; a SecLang file; a folder, such as that of the OWASP CRS; a pattern: `rules/*.conf`; a
    file of rules in Python: `rules.py`."""
    exclusions: FilePath | None = None
    """SecLang file that `adc waf exclude` writes to; read before the rules if it exists."""
    mode: Literal["block", "detect", "off"] = "block"
    """`detect` records what `block` would have rejected and changes nothing."""
    paranoia: int | None = Field(None, ge=1, le=4)
    """Paranoia level whose rules count for blocking; the rules' own by default, which is 1."""
    detection_paranoia: int | None = Field(None, ge=1, le=4)
    """Paranoia level whose rules are run and logged; that of `paranoia` by default."""
    anomaly_threshold: int | None = Field(None, ge=1)
    """Score from which a request is rejected; the rules' own by default, which is 5."""
    outbound_anomaly_threshold: int | None = Field(None, ge=1)
    """Score from which a response is withheld; the rules' own by default, which is 4."""
    request_body_limit: Size | None = Field(None, ge=1)
    """Bytes of a request body that are inspected; in place of SecRequestBodyLimit."""
    request_body_limit_action: Literal["reject", "pass"] | None = None
    """What becomes of a larger one: 413, or the rest passes uninspected; in place of SecRequestBodyLimitAction."""
    response_body_limit: Size | None = Field(None, ge=1)
    """Bytes of a response body that are inspected; in place of SecResponseBodyLimit."""
    response_body_limit_action: Literal["reject", "pass"] | None = None
    """What becomes of a larger one: 502, or the rest passes uninspected; in place of SecResponseBodyLimitAction."""
    audit_log: FilePath | Literal["-"] | None = None
    """File of one JSON line for each transaction in which a rule matched; `-` is standard output."""
    masked: tuple[str, ...] = SENSITIVE
    """Arguments, headers and cookies whose names contain one of these are masked in the logs, whatever their case."""
    collections: int = Field(10_000, ge=1, le=1_000_000)
    """Entries of the table for IP, SESSION and other persistent collections."""
    collections_scope: Literal["node", "cluster"] = "node"
    """Who shares them: the workers of this machine, or all machines of the cluster (`state: redis`)."""

    @model_validator(mode="after")
    def _check_levels(self) -> WafOptions:
        if self.paranoia and self.detection_paranoia and self.detection_paranoia < self.paranoia:
            raise ValueError(
                f"detection_paranoia {self.detection_paranoia} is lower than paranoia {self.paranoia}; rules that"
                " block must run"
            )
        return self
