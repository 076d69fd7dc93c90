"""What one run yields: named numbers, and their medians over the rounds."""

from __future__ import annotations

from statistics import median

Figures = dict[str, float]
"""Keys say the unit: cpu_us, machine_us and machine_us_per_mb (of all programs on this machine), master_us,
cpu_us_per_mb, rate (per second), p50_ms, p99_ms, bytes (a response), busy (share of a core), hits (share that the
origin never saw), kb_each, connections (held idle), start_s, rss_mb, matched (rules of a firewall that matched a
request), failed (count)."""


def medians(rounds: list[Figures]) -> Figures:
    """The median of each figure over the rounds, except `failed`, which adds up. Needs at least one round."""
    return {
        key: sum(one[key] for one in rounds) if key == "failed" else median(one[key] for one in rounds)
        for key in rounds[0]
    }


def ratio(subject: list[Figures], base: list[Figures], key: str) -> float | None:
    """The median over the rounds of subject / base, each round with itself: what slows a round slows both.

    None where a round lacks `key`, the base has a zero, or there are no rounds.
    """
    pairs = [(one.get(key), other.get(key)) for one, other in zip(subject, base, strict=False)]
    ratios = [above / below for above, below in pairs if above is not None and below]
    return median(ratios) if ratios and len(ratios) == len(pairs) else None
