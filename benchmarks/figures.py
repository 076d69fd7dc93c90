"""What one run yields: named numbers, and their medians over the rounds."""

from __future__ import annotations

from statistics import median

Figures = dict[str, float]
"""Keys say the unit: cpu_us, master_us, cpu_us_per_mb, rate (per second), p50_ms, p99_ms, bytes (a response),
busy (share of a core), hits (share that the origin never saw), kb_each, start_s, rss_mb, failed (count)."""


def medians(rounds: list[Figures]) -> Figures:
    """The median of each figure over the rounds, except `failed`, which adds up. Needs at least one round."""
    return {
        key: sum(one[key] for one in rounds) if key == "failed" else median(one[key] for one in rounds)
        for key in rounds[0]
    }


def ratio(subject: Figures, base: Figures, key: str) -> float | None:
    """subject / base for `key`; None where either lacks it or the base is zero."""
    if key not in subject or not base.get(key):
        return None
    return subject[key] / base[key]
