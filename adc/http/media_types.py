"""Sets of media types, as options list them."""

from __future__ import annotations

from collections.abc import Iterable


class MediaTypes:
    """Media types in lower case: one (`text/html`), all of a type (`text/*`), or all of a type with a suffix
    (`application/*+json`, RFC 6838 section 4.2.8)."""

    __slots__ = ("_essences", "_suffixes", "_types", "types")

    def __init__(self, types: Iterable[str]) -> None:
        self.types = tuple(types)
        named = [each.encode() for each in self.types]
        self._types = frozenset(each[:-2] for each in named if each.endswith(b"/*"))
        self._suffixes = frozenset(each for each in named if b"/*+" in each)
        self._essences = frozenset(each for each in named if b"/*" not in each)

    def covers(self, content_type: bytes) -> bool:
        """True if content of this Content-Type, parameters included, is of one of the types."""
        essence = content_type.partition(b";")[0].strip(b" \t").lower()
        if essence in self._essences:
            return True
        kind = essence.partition(b"/")[0]
        return kind in self._types or b"%b/*+%b" % (kind, essence.rpartition(b"+")[2]) in self._suffixes
