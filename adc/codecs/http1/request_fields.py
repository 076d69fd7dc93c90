"""The fields of a request head as httptools reports them, divided in the same walk (`adc.http.fields.divide`)."""

from __future__ import annotations

from typing import Any, Final

from adc.http.familiar import FAMILIAR
from adc.http.fields import AMBIGUOUS, REMOVED, SELECTING, SPECIAL, SPOOFABLE, classify

_BLANKS: Final = b" \t"
_SPACE: Final = 32
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
_UNWANTED: Final = frozenset({b"proxy-connection", b"sec-websocket-key1"})
"""Names to which aiohttp's parser gives a meaning."""


class KnownName:
    """A name of a field, however it is spelled. `special`: its lower-case form, if it belongs into that part. `head` is
    the number of the last head that had it."""

    __slots__ = ("frames", "head", "kept", "selects", "special", "spoofable", "unwanted")

    def __init__(self, lower: bytes) -> None:
        kind = classify(lower)
        self.spoofable = kind is SPOOFABLE
        self.special = kind if kind is not AMBIGUOUS and kind is not SPOOFABLE else None
        self.kept = kind is not AMBIGUOUS and kind not in REMOVED
        self.frames = lower in _FRAMING
        self.selects = lower in SELECTING
        self.unwanted = lower in _UNWANTED
        self.head = 0


def _known() -> tuple[dict[bytes, KnownName], dict[bytes, KnownName]]:
    spelled: dict[bytes, KnownName] = {}
    lower: dict[bytes, KnownName] = {}
    for name in (*FAMILIAR, *sorted(SPECIAL)):
        known = lower.setdefault(name.lower(), KnownName(name.lower()))
        for spelling in (name, name.lower(), name.title()):
            spelled[spelling] = known
    return spelled, lower


_KNOWN: Final = _known()
_SPELLED: Final = _KNOWN[0]
"""Usual spellings of names. The table is fixed: clients could fill a table that learns with names of their choice."""
_LOWER: Final = _KNOWN[1]
_NOTHING: Final[list[Any]] = []
_NO_SPECIAL: Final[dict[bytes, bytes]] = {}


class _Heads:
    """Numbers the heads that are read: one after the other, whatever the connection."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


_HEADS: Final = _Heads()


class RequestFields:
    """Collects the fields of one head at a time.

    `lines` are all of them; `kept`, `special` and `spoofable` are what `divide` makes of them, except that a field
    named by `Connection` is kept. `framed`: content may follow. `selecting`: a `SELECTING` field is among them. `odd`:
    aiohttp's parser might reject the head or read it otherwise, because a name occurs twice or is one of those that it
    treats specially.
    """

    __slots__ = ("_number", "_others", "framed", "kept", "lines", "odd", "selecting", "special", "spoofable")

    def __init__(self) -> None:
        self._number = 0
        self.lines = _NOTHING
        self.kept = _NOTHING
        self.special = _NO_SPECIAL
        self.spoofable = False
        self.framed = False
        self.selecting = False
        self.odd = False
        self._others: dict[bytes, KnownName] | None = None

    def begin(self) -> None:
        """Begin with the next head."""
        _HEADS.number += 1
        self._number = _HEADS.number
        self.lines = []
        self.kept = []
        self.special = {}
        self.spoofable = False
        self.framed = False
        self.selecting = False
        self.odd = False
        self._others = None

    def end(self) -> None:
        """Keep nothing of a head: an idle connection needs no memory for its last one."""
        self.lines = self.kept = _NOTHING
        self.special = _NO_SPECIAL
        self._others = None

    def add(self, name: bytes, value: bytes) -> None:
        """Add a field, of which llhttp has checked the characters."""
        if value and value[-1] <= _SPACE:
            value = value.rstrip(_BLANKS)  # llhttp leaves the blanks behind a value
        pair: Any = (name, value)
        self.lines.append(pair)
        known = _SPELLED.get(name)
        if known is None:
            known = self._other(name.lower())
        if known.head == self._number or known.unwanted:
            self.odd = True
        known.head = self._number
        special = known.special
        if special is not None:
            self.special[special] = value
        if known.kept:
            self.kept.append(pair)
        if known.frames:
            self.framed = True
        if known.selects:
            self.selecting = True
        if known.spoofable:
            self.spoofable = True

    def _other(self, lower: bytes) -> KnownName:
        """Return a name that is not in the table, or not in this spelling: one object for each name of a head."""
        known = _LOWER.get(lower)
        if known is not None:
            return known
        others = self._others
        if others is None:
            others = self._others = {}
        known = others.get(lower)
        if known is None:
            known = others[lower] = KnownName(lower)
        return known
