"""Bounds of what one transaction may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """Bounds per transaction; what lies beyond is left out, and `Transaction.reached` names the bound."""

    matches: int = 500
    """Matches that are recorded; rules go on to match and to score."""
    variables: int = 10_000
    """Keys of TX and of each persistent collection."""
    variable_bytes: int = 65_536
    """Bytes of a value that a rule sets or captures."""
    text_bytes: int = 8_192
    """Bytes of an expanded message."""
    seconds: float = 0.7
    """Processor time in which all rules must be evaluated; then the rest is left out. The rule that is being evaluated
    goes on, for 0.3 s at most with a value of 1 MB: together no request takes more than a second."""
