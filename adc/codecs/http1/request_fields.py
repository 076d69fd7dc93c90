"""The fields of a request head as httptools reports them, divided in the same walk (`adc.http.fields.divide`)."""

from __future__ import annotations

from typing import Any, Final

from adc.http.familiar import FAMILIAR
from adc.http.fields import AMBIGUOUS, REMOVED, SELECTING, SPECIAL, SPOOFABLE, classify

_BLANKS: Final = b" \t"
_SPACE: Final = 32
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
_ASKING: Final = frozenset({b"te", b"expect"})
_UNWANTED: Final = frozenset({b"proxy-connection", b"sec-websocket-key1"})
"""Names to which aiohttp's parser gives a meaning."""


class KnownName:
    """A name of a field, however it is spelled. `special`: its lower-case form, if it belongs into that part. `head` is
    the number of the last head that had it."""

    __slots__ = (
        "asks",
        "connects",
        "frames",
        "head",
        "kept",
        "names_host",
        "selects",
        "special",
        "spoofable",
        "unwanted",
    )

    def __init__(self, lower: bytes) -> None:
        kind = classify(lower)
        self.spoofable = kind is SPOOFABLE
        self.special = kind if kind is not AMBIGUOUS and kind is not SPOOFABLE else None
        self.kept = kind is not AMBIGUOUS and kind not in REMOVED
        self.frames = lower in _FRAMING
        self.asks = lower in _ASKING
        self.connects = lower == b"connection"
        self.names_host = lower == b"host"
        self.selects = lower in SELECTING
        self.unwanted = lower in _UNWANTED
        self.head = 0


class _Spelling:
    """A usual spelling of a known name, and the next one in the same place of the table."""

    __slots__ = ("following", "known", "text")

    def __init__(self, text: bytes, known: KnownName, following: _Spelling | None) -> None:
        self.text = text
        self.known = known
        self.following = following


_PLACES: Final = 1 << 10


def _place_of(name: bytes) -> int:
    """Return where a name is in the table. `RequestFields.add` has the same expression, which is cheaper there than the
    hash of all bytes that a dictionary takes, and than a call."""
    size = len(name)
    return (size * 61 + name[0] * 7 + name[size >> 1] * 31 + name[size - 1] * 3) & (_PLACES - 1)


def _spelled(lower: dict[bytes, KnownName]) -> list[_Spelling | None]:
    table: list[_Spelling | None] = [None] * _PLACES
    for name in dict.fromkeys((*FAMILIAR, *sorted(SPECIAL))):
        known = lower.setdefault(name.lower(), KnownName(name.lower()))
        for text in sorted({name, name.lower(), name.title()}):
            place = _place_of(text)
            table[place] = _Spelling(text, known, table[place])
    return table


_LOWER: Final[dict[bytes, KnownName]] = {}
_SPELLED: Final = _spelled(_LOWER)
"""The table is fixed: clients could fill a table that learns with names of their choice."""
_NOTHING: Final[list[Any]] = []
_NO_PLACES: Final[list[int]] = []
_NO_SPECIAL: Final[dict[bytes, bytes]] = {}


class _Heads:
    """Numbers the heads that are read: one after the other, whatever the connection."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0


_HEADS: Final = _Heads()


class RequestFields:
    """Collects the fields of one head at a time.

    `lines` are all of them, of which those at the places in `dropped` are not forwarded; `special` and `spoofable` are
    what `divide` makes of them, except that a field named by `Connection` is kept. `framed`: content may follow.
    `selecting`: a `SELECTING` field is among them; `asking`: `TE` or `Expect`; `hosted`: `Host`. `connection` is the
    value of that field, None without it. `odd`: aiohttp's parser might reject the head or read it otherwise,
    because a name occurs twice or is one of those that it treats specially.
    """

    __slots__ = (
        "_number",
        "_others",
        "asking",
        "connection",
        "dropped",
        "framed",
        "hosted",
        "lines",
        "odd",
        "selecting",
        "special",
        "spoofable",
    )

    def __init__(self) -> None:
        self._number = 0
        self.lines = _NOTHING
        self.dropped = _NO_PLACES
        self.special = _NO_SPECIAL
        self.spoofable = False
        self.framed = False
        self.asking = False
        self.hosted = False
        self.connection: bytes | None = None
        self.selecting = False
        self.odd = False
        self._others: dict[bytes, KnownName] | None = None

    def begin(self) -> None:
        """Begin with the next head."""
        _HEADS.number += 1
        self._number = _HEADS.number
        self.lines = []
        self.dropped = _NO_PLACES
        self.special = {}
        self.spoofable = False
        self.framed = False
        self.asking = False
        self.hosted = False
        self.connection = None
        self.selecting = False
        self.odd = False
        self._others = None

    def end(self) -> None:
        """Keep nothing of a head: an idle connection needs no memory for its last one."""
        self.lines = _NOTHING
        self.dropped = _NO_PLACES
        self.special = _NO_SPECIAL
        self._others = None

    def add(self, name: bytes, value: bytes) -> None:
        """Add a field, of which llhttp has checked the characters."""
        if len(value) and value[-1] <= _SPACE:
            value = value.rstrip(_BLANKS)  # llhttp leaves the blanks behind a value
        pair: Any = (name, value)
        self.lines.append(pair)
        size = len(name)  # llhttp passes no empty name
        spelling = _SPELLED[
            (size * 61 + name[0] * 7 + name[size >> 1] * 31 + name[size - 1] * 3) & (_PLACES - 1)
        ]
        while spelling is not None and spelling.text != name:
            spelling = spelling.following
        known = self._other(name.lower()) if spelling is None else spelling.known
        if known.head == self._number or known.unwanted:
            self.odd = True
        known.head = self._number
        special = known.special
        if special is not None:
            self.special[special] = value
            if known.names_host:
                self.hosted = True
            elif known.connects:
                self.connection = value
            elif known.asks:
                self.asking = True
        if not known.kept:
            if not self.dropped:
                self.dropped = []
            self.dropped.append(len(self.lines) - 1)
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
