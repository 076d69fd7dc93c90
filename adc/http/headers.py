"""A header block: an ordered list of (name, value) pairs with case-insensitive look-up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Pair = tuple[bytes, bytes]


class Headers:
    """Field lines in the order received (RFC 9110 section 5).

    `pairs` keeps names as spelled on the wire. Every name passed to a method is lower-case bytes, except in `add` and
    `set`, whose spelling goes on the wire. The look-up index is built on first use and kept until a change, so a block
    without look-ups costs nothing.
    """

    __slots__ = ("_index", "pairs")

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self.pairs: list[Pair] = list(pairs)
        self._index: dict[bytes, bytes] | None = None

    @property
    def index(self) -> dict[bytes, bytes]:
        """Lower-case name -> value of the last line of that name. Read only."""
        index = self._index
        if index is None:
            index = self._index = {name.lower(): value for name, value in self.pairs}
        return index

    def __contains__(self, name: bytes) -> bool:
        return name in self.index

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.pairs == other.pairs

    def __hash__(self) -> int:
        raise TypeError("Headers are mutable and have no hash")

    def __repr__(self) -> str:
        return f"Headers({self.pairs!r})"

    def get(self, name: bytes) -> bytes | None:
        """Return the value of the only (or last) line called `name`, None if there is none."""
        return self.index.get(name)

    def get_all(self, name: bytes) -> list[bytes]:
        """Return the values of all lines called `name`, in order."""
        if name not in self.index:
            return []
        return [value for other, value in self.pairs if other.lower() == name]

    def joined(self, name: bytes) -> bytes | None:
        """Return all values of `name` as one comma-separated list (RFC 9110 section 5.3), None if there is none."""
        index = self.index
        if name not in index:
            return None
        if len(index) == len(self.pairs):
            return index[name]
        return b", ".join(self.get_all(name))

    def add(self, name: bytes, value: bytes) -> None:
        """Append one line."""
        self.pairs.append((name, value))
        index = self._index
        if index is not None:
            index[name.lower()] = value

    def extend(self, pairs: Iterable[Pair]) -> None:
        """Append lines."""
        self.pairs.extend(pairs)
        self._index = None

    def set(self, name: bytes, value: bytes) -> None:
        """Replace every line called `name` by one at the end."""
        self.remove(name.lower())
        self.pairs.append((name, value))
        self._index = None

    def remove(self, *names: bytes) -> None:
        """Drop every line that has one of `names`."""
        self.pairs = [pair for pair in self.pairs if pair[0].lower() not in names]
        self._index = None

    def replace(self, pairs: list[Pair]) -> None:
        """Let the block consist of `pairs`."""
        self.pairs = pairs
        self._index = None

    def copy(self) -> Headers:
        """Return an independent block with the same lines."""
        return Headers(self.pairs)
