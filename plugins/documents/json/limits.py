"""Limits of a document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """The most that a document may have; lengths are bytes as written."""

    size: int = 1 << 20
    depth: int = 64
    values: int = 100_000
    """Members and elements of a document."""
    keys: int = 1000
    """Members of one object."""
    key_length: int = 256
    string_length: int = 256 << 10
    number_length: int = 64
    duplicate_keys: bool = False
    """True: the last member of a name counts."""
