"""A short part of an expression that every match of it contains."""

from __future__ import annotations

from dataclasses import dataclass

from .rates import rate
from .syntax import Border, Characters, Choice, Node, Repeat, Sequence

MOST_PLACES = 30
_LARGEST_GAP = 64
SELDOM = 0.00002
"""A part that begins at so few bytes of ordinary requests need not be longer."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part, how many places its automaton has, and how often it begins at a byte of ordinary requests."""

    node: Node
    places: int
    rate: float


def places(node: Node) -> int:
    """Return how many places an automaton for this has, about; only a small class may repeat without an end."""
    if isinstance(node, Sequence):
        return sum(map(places, node.items))
    if isinstance(node, Choice):
        return sum(map(places, node.branches))
    if isinstance(node, Repeat):
        if node.most is not None:
            return places(node.item) * node.most
        small = isinstance(node.item, Characters) and len(node.item.members) <= _LARGEST_GAP
        return max(1, node.least) if small else MOST_PLACES + 1
    return 1 if isinstance(node, Characters) else 0


def can_be_empty(node: Node) -> bool:
    """True if it may match without taking a byte."""
    if isinstance(node, Sequence):
        return all(map(can_be_empty, node.items))
    if isinstance(node, Choice):
        return any(map(can_be_empty, node.branches))
    if isinstance(node, Repeat):
        return node.least == 0 or can_be_empty(node.item)
    return not isinstance(node, Characters)


def simplify(node: Node) -> Node:
    """Return a structure that matches more: what may be left out becomes any number of the bytes in it."""
    if isinstance(node, Choice):
        node = Choice(tuple(map(simplify, node.branches)))
    elif isinstance(node, Sequence):
        node = Sequence(_joined_gaps(tuple(map(simplify, node.items))))
    elif isinstance(node, Repeat):
        node = Repeat(simplify(node.item), node.least, node.most)
    if isinstance(node, Characters | Border) or not can_be_empty(node) or places(node) <= 1:
        return node
    return Repeat(Characters(_members(node)), 0, None)


def _joined_gaps(items: tuple[Node, ...]) -> tuple[Node, ...]:
    joined: list[Node] = []
    for item in items:
        last = joined[-1] if joined else None
        if _is_gap(item) and last is not None and _is_gap(last):
            joined[-1] = Repeat(Characters(_members(last) | _members(item)), 0, None)
        else:
            joined.append(item)
    return tuple(joined)


def _is_gap(node: Node) -> bool:
    return isinstance(node, Repeat) and node.least == 0 and isinstance(node.item, Characters)


def _members(node: Node) -> frozenset[int]:
    if isinstance(node, Characters):
        return node.members
    if isinstance(node, Repeat):
        return _members(node.item)
    parts = node.items if isinstance(node, Sequence) else node.branches if isinstance(node, Choice) else ()
    return frozenset[int]().union(*map(_members, parts))


def window_of(node: Node) -> Window | None:
    """Return a part of few places that ordinary requests seldom contain; None if every part is too big."""
    if can_be_empty(node):
        return None
    if isinstance(node, Sequence):
        return _window_of_sequence(node.items)
    if isinstance(node, Choice):
        return _window_of_choice(node.branches)
    if isinstance(node, Repeat):
        return _window_of_sequence((node.item,) * min(node.least, MOST_PLACES))
    return Window(node, 1, rate(node))


def _window_of_choice(branches: tuple[Node, ...]) -> Window | None:
    windows = [window for branch in branches if (window := window_of(branch)) is not None]
    count = sum(window.places for window in windows)
    if len(windows) < len(branches) or count > MOST_PLACES:
        return None
    return Window(
        Choice(tuple(window.node for window in windows)),
        count,
        min(1.0, sum(window.rate for window in windows)),
    )


def _split(item: Node) -> tuple[Node, ...]:
    """Return a repeat without an end as what it begins with, a gap, and what it ends with."""
    if isinstance(item, Repeat) and item.most is None and item.least > 0 and places(item) > MOST_PLACES:
        part = (item.item,) * min(item.least, MOST_PLACES)
        return (*part, Repeat(item.item, 0, None), *part)
    return (item,)


def _window_of_sequence(sequence: tuple[Node, ...]) -> Window | None:
    """Return the best run of items that begins and ends with one that takes bytes."""
    best: Window | None = None
    items = [part for item in sequence for part in _split(item)]
    counts = [places(item) for item in items]
    rates = [rate(item) for item in items]
    empty = [can_be_empty(item) and not isinstance(item, Border) for item in items]
    for start, item in enumerate(items):
        if not empty[start] and not isinstance(item, Characters | Border):
            best = _better(best, window_of(item))
        if empty[start]:
            continue
        count, product = 0, 1.0
        for end in range(start, len(items)):
            count += counts[end]
            product *= rates[end]
            if count > MOST_PLACES:
                break
            if not empty[end] and _is_better(best, count, product):
                part = Sequence(tuple(items[start : end + 1]))
                best = best if can_be_empty(part) else Window(part, count, product)
    return best


def _is_better(best: Window | None, count: int, often: float) -> bool:
    """True if a part is the shorter of two that occur seldom, or else the rarer."""
    if best is None:
        return True
    if often <= SELDOM and best.rate <= SELDOM:
        return count < best.places
    return often < best.rate


def _better(one: Window | None, other: Window | None) -> Window | None:
    if other is None or (one is not None and not _is_better(one, other.places, other.rate)):
        return one
    return other


def write(node: Node) -> bytes:
    """Return the expression of a structure."""
    if isinstance(node, Characters):
        return _write_class(node.members)
    if isinstance(node, Sequence):
        return b"".join(map(write, node.items))
    if isinstance(node, Choice):
        return b"(?:%s)" % b"|".join(map(write, node.branches))
    if isinstance(node, Repeat):
        most = b"" if node.most is None else b"%d" % node.most
        return b"(?:%s){%d,%s}" % (write(node.item), node.least, most)
    return node.text


def _write_class(members: frozenset[int]) -> bytes:
    if len(members) == 1:
        return b"\\x%02x" % min(members)
    ranges: list[list[int]] = []
    for byte in sorted(members):
        if ranges and ranges[-1][1] == byte - 1:
            ranges[-1][1] = byte
        else:
            ranges.append([byte, byte])
    return b"[%s]" % b"".join(b"\\x%02x-\\x%02x" % (low, high) for low, high in ranges)
