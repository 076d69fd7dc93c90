"""Quantities with units: durations, sizes, shares. Parsers raise `ValueError` with the allowed form."""

from __future__ import annotations

import re

DURATIONS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SIZES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}

DURATION_WORDS = "a number with a unit: ms, s, m, h or d, such as 500ms, 30s, 10m, 1h or 7d"
SIZE_WORDS = "a number with a unit: B, KB, MB, GB or TB, such as 64KB or 1GB"
SHARE_WORDS = "a percentage from 0% to 100%, such as 20%"

_NUMBER = r"([0-9]{1,15}(?:\.[0-9]{1,9})?)"
_DURATION = re.compile(_NUMBER + r" ?([a-z]+)")
_SIZE = re.compile(_NUMBER + r" ?([A-Za-z]+)")
_SHARE = re.compile(_NUMBER + r" ?%")


def parse_duration(value: object) -> float:
    """Return seconds of `500ms`, `30s`, `10m`, `1h`, `7d`; a bare 0 needs no unit."""
    if _is_zero(value):
        return 0.0
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[2] not in DURATIONS:
        raise ValueError(f"{quote(value)} is not a duration; write {DURATION_WORDS}")
    return float(found[1]) * DURATIONS[found[2]]


def parse_size(value: object) -> int:
    """Return bytes of `512B`, `64KB`, `1GB` (1 KB is 1024 bytes); a bare 0 needs no unit."""
    if _is_zero(value):
        return 0
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[2].upper() not in SIZES:
        raise ValueError(f"{quote(value)} is not a size; write {SIZE_WORDS}")
    return int(float(found[1]) * SIZES[found[2].upper()])


def parse_share(value: object) -> float:
    """Return the fraction of `20%`: 0.2; a bare 0 needs no sign."""
    if _is_zero(value):
        return 0.0
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{quote(value)} is not a share; write {SHARE_WORDS}")
    return float(found[1]) / 100


def quote(value: object) -> str:
    """Return a value as an error message shows it: short, on one line, in quotes when it is text."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value)
    shown = text if len(text) <= 60 else text[:57] + "..."
    return f'"{_printable(shown)}"' if isinstance(value, str) else _printable(shown)


def _printable(text: str) -> str:
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text
    )


def _is_zero(value: object) -> bool:
    return value == "0" or (value == 0 and isinstance(value, int | float) and not isinstance(value, bool))


def format_duration(seconds: float) -> str:
    """Return the shortest way to write a duration: `500ms`, `30s`, `1h`."""
    return _shortest(seconds, DURATIONS)


def format_size(size: float) -> str:
    """Return the shortest way to write a size: `32KB`, `1GB`."""
    return _shortest(size, SIZES)


def format_share(share: float) -> str:
    """Return a fraction as a percentage: `20%`."""
    return f"{share * 100:g}%"


def _shortest(value: float, factors: dict[str, float] | dict[str, int]) -> str:
    """Return the value in the largest unit that leaves a whole number, else in the smallest one."""
    if not value:
        return "0"
    for unit, factor in reversed(factors.items()):
        times = value / factor
        if times >= 1 and abs(times - round(times)) < 1e-9:
            return f"{round(times)}{unit}"
    unit, factor = next(iter(factors.items()))
    return f"{value / factor:g}{unit}"
