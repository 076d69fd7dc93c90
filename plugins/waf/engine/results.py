"""What a transaction says: matches of rules, scores, and what is to become of the exchange."""

from __future__ import annotations

from dataclasses import dataclass

from adc_plugins.waf.seclang.model import Place


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A rule that matched one value, with texts expanded.

    `scores` are the score variables that it changed, each with the amount.
    `variable` and `key` name the value as received (`ARGS` and `q`); a rule without variables leaves them empty. Of a
    chain they are those of its last rule that looked at the request.
    """

    rule_id: int
    place: Place
    phase: int
    message: bytes
    data: bytes
    severity: int | None
    tags: tuple[str, ...]
    variable: str
    key: bytes
    value: bytes
    scores: tuple[tuple[str, int], ...]
    audit: bool = True
    """False if the rule has `noauditlog`."""

    @property
    def name(self) -> str:
        """The variable as a rule names it: `ARGS:q`."""
        return (
            f"{self.variable}:{self.key.decode('utf-8', 'backslashreplace')}" if self.key else self.variable
        )


@dataclass(frozen=True, slots=True)
class Intervention:
    """What is to become of the exchange: `action` is deny, drop or redirect; `location` is where to."""

    status: int
    action: str
    location: bytes = b""
    match: RuleMatch | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """Anomaly scores as the OWASP rules keep them; the first item of `*_levels` is that of paranoia level 1."""

    inbound: int
    outbound: int
    inbound_levels: tuple[int, int, int, int]
    outbound_levels: tuple[int, int, int, int]
    inbound_threshold: int
    outbound_threshold: int
