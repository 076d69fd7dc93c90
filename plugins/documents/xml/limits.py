"""Limits of a document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """The most that a document may have; sizes are bytes of UTF-8 for `size` and `markup`, characters for the rest."""

    size: int = 1 << 20
    depth: int = 64
    nodes: int = 30_000
    """Elements and attributes."""
    attributes: int = 100
    """Attributes and namespace declarations of one element."""
    attribute_size: int = 64 << 10
    name_length: int = 256
    names: int = 2_000
    """Different names of elements and attributes."""
    namespaces: int = 64
    """Namespace declarations in scope."""
    text: int = 1 << 20
    """Text between two tags."""
    markup: int = 128 << 10
    """One tag, comment or processing instruction."""
