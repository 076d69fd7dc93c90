"""Our table as text: its parts, and the transaction that brings the kernel's copy up to date.

`nft -j` reads only a part of its own language: the version of Debian 12 loses the times of a `ct timeout` without an
error, and crashes on a map of addresses with ports (docs/decisions/nftables-text.md).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

KINDS = ("chain", "map", "set", "counter", "limit", "ct timeout")
"""Kinds of objects in a table, in the order in which they can be deleted."""

_CREATED = ("counter", "limit", "ct timeout", "set", "map", "chain")
"""The order in which they can be made: those that others name come first."""

MOST_FORMER = 64
"""Objects of a kept kind that stay although nothing here has them."""


def table_name(node: str) -> str:
    """Return the name of a node's table."""
    return "adc_" + re.sub(r"[^A-Za-z0-9_.\-]", "_", node)[:128]


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the objects that a table has, by kind."""

    of: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Table:
    """The wanted parts of a table; `replacing` returns the transaction that brings the kernel there.

    An object that exists keeps its content: counters their numbers, meters their elements, and flows their timeouts.
    So a name stands for one definition: whatever changes has another name. Rules and the elements of filled sets are
    replaced.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._objects: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        self._elements: dict[str, list[str]] = {}
        self._rules: list[tuple[str, str]] = []
        self._kept = ""

    def add(self, kind: str, name: str, definition: str = "") -> None:
        """Add an object; `definition` is the text between its braces."""
        self._objects[kind][name] = definition

    def keep(self, kind: str) -> None:
        """Keep objects of a kind that the kernel has and this table has not: something still depends on them."""
        self._kept = kind

    def fill(self, name: str, elements: Iterable[str]) -> None:
        """Set the elements of a set or map."""
        self._elements[name] = list(elements)

    def rule(self, chain: str, text: str) -> None:
        """Append a rule to a chain."""
        self._rules.append((chain, text))

    def contents(self) -> dict[str, bytes]:
        """Return a digest of the elements of each filled set and map."""
        return {
            name: blake2b("\n".join(elements).encode(), digest_size=16).digest()
            for name, elements in self._elements.items()
        }

    def replacing(self, existing: Names, same: Collection[str] = ()) -> str:
        """Return the transaction that leaves the kernel with these parts and no others. The sets and maps of `same`
        have their elements already."""
        filled = [name for name in self._elements if name not in same]
        lines = [f"add table inet {self.name}", f"flush table inet {self.name}"]
        emptied = [name for name in filled if name in existing.of.get(self._kind(name), ())]
        lines += [f"delete {self._kind(name)} inet {self.name} {name}" for name in emptied]
        lines += self._created(filled)
        lines += self._deleted(existing)
        lines += [f"add rule inet {self.name} {chain} {text}" for chain, text in self._rules]
        return "\n".join(lines) + "\n"

    def updating(self, chains: Iterable[str], filled: Iterable[str]) -> str:
        """Return the transaction that replaces the rules of `chains` and the elements of `filled` only. No other chain
        may use `filled`."""
        wanted = list(chains)
        lines = [f"flush chain inet {self.name} {chain}" for chain in wanted]
        for name in filled:
            kind = self._kind(name)
            lines.append(f"delete {kind} inet {self.name} {name}")
            lines.append(self._creation(kind, name, filled=True))
        lines += [
            f"add rule inet {self.name} {chain} {text}" for chain, text in self._rules if chain in wanted
        ]
        return "\n".join(lines) + "\n"

    def _kind(self, name: str) -> str:
        return "map" if name in self._objects["map"] else "set"

    def _created(self, filled: Collection[str]) -> Iterator[str]:
        for kind in _CREATED:
            for name in self._objects[kind]:
                yield self._creation(kind, name, filled=name in filled and kind in ("set", "map"))

    def _creation(self, kind: str, name: str, *, filled: bool) -> str:
        """Return the line that makes an object, with its elements: to add them to one that exists, nft would read all
        ranges of all tables."""
        body = self._objects[kind][name]
        elements = self._elements[name] if filled else []
        if elements:
            body += f" elements = {{ {', '.join(elements)} }};"
        return f"add {kind} inet {self.name} {name}" + (f" {{ {body} }}" if body else "")

    def _deleted(self, existing: Names) -> Iterator[str]:
        for kind in KINDS:
            former = sorted(existing.of.get(kind, frozenset()) - self._objects[kind].keys())
            for name in former[MOST_FORMER if kind == self._kept else 0 :]:
                yield f"delete {kind} inet {self.name} {name}"


def removal(name: str) -> str:
    """Return the transaction after which the table is gone, whether or not it exists."""
    return f"add table inet {name}\ndelete table inet {name}\n"
