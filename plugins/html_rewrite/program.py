"""Rules compiled for matching: each compound of each selector is a bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .selectors import Compound, Selector
from .tags import StartTag


@dataclass(frozen=True, slots=True)
class Change:
    """The changes of one rule to an element that it matches. Texts are HTML."""

    attributes: tuple[tuple[bytes, str | None], ...] = ()
    """New values; None removes the attribute."""
    before: str = ""
    prepend: str = ""
    append: str = ""
    after: str = ""
    content: str | None = None
    remove: bool = False
    unwrap: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A compound of a selector: it matches if the compound does and the part before it matched the parent, or an
    ancestor. `change` is the number of the rule if it is the last part."""

    compound: Compound
    bit: int
    needs: int
    child: bool
    change: int


class Program:
    """The changes, and the parts by the name of the element."""

    def __init__(self, rules: Sequence[tuple[Sequence[Selector], Change]]) -> None:
        self.changes = [change for _, change in rules]
        self._any: list[Part] = []
        self._named: dict[bytes, list[Part]] = {}
        bit = 1
        for number, (selectors, _) in enumerate(rules):
            for selector in selectors:
                bit = self._add(selector, number, bit)
        self._for: dict[bytes, list[Part]] = {
            name: [*parts, *self._any] for name, parts in self._named.items()
        }

    def _add(self, selector: Selector, number: int, bit: int) -> int:
        needs = 0
        last = len(selector.compounds) - 1
        for index, compound in enumerate(selector.compounds):
            child = index > 0 and selector.children[index - 1]
            part = Part(compound, bit, needs, child, number if index == last else -1)
            (self._named.setdefault(compound.name, []) if compound.name else self._any).append(part)
            needs, bit = bit, bit << 1
        return bit

    def match(self, tag: StartTag, parent: int, ancestors: int) -> tuple[int, list[int]]:
        """Return the bits that an element matches, and the numbers of the rules that select it; `parent` and
        `ancestors` are their bits."""
        bits, selected = 0, []
        for part in self._for.get(tag.name, self._any):
            if part.needs and not part.needs & (parent if part.child else ancestors):
                continue
            if not part.compound.tests or part.compound.matches(tag):
                bits |= part.bit
                if part.change >= 0:
                    selected.append(part.change)
        return bits, sorted(set(selected)) if len(selected) > 1 else selected
