"""Several files as one: mappings merge by key, lists follow each other, anything else may be written once."""

from __future__ import annotations

from adc.config.errors import Path, Problem
from adc.config.yaml_marks import Entries, Items, Node

NAMED = ("pools", "caches")
"""Mappings of named entries: an entry is written in one file only."""


def merge(first: Node, second: Node, path: Path = ()) -> tuple[Node, list[Problem]]:
    """Return both trees as one; neither is changed. A key written in both is reported with both places."""
    once = len(path) == 2 and path[0] in NAMED
    if isinstance(first, Items) and isinstance(second, Items) and not once:
        return Items(first.mark, first.items + second.items), []
    if isinstance(first, Entries) and isinstance(second, Entries) and not once:
        return _merge_entries(first, second, path)
    return first, [Problem(second.mark, path, f"written twice; the first is at {first.mark}")]


def _merge_entries(first: Entries, second: Entries, path: Path) -> tuple[Node, list[Problem]]:
    merged = Entries(first.mark, dict(first.entries), dict(first.marks))
    problems: list[Problem] = []
    for key, node in second.entries.items():
        if key not in merged.entries:
            merged.entries[key], merged.marks[key] = node, second.marks[key]
            continue
        together, found = merge(merged.entries[key], node, (*path, key))
        merged.entries[key] = together
        at, again = first.marks[key], second.marks[key]
        for problem in found:
            own = problem.path == (*path, key)
            problems.append(
                Problem(again, problem.path, f"written twice; the first is at {at}") if own else problem
            )
    return merged, problems
