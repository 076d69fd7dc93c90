"""A request head as a parser read it, before it is checked."""

from __future__ import annotations

from adc.codecs.http1.request_fields import RequestFields
from adc.http.headers import Pair


class ParsedHead:
    """Start line and field lines. `should_close` and `upgrade` are the parser's reading of `Connection`.

    `kept`, `special` and `spoofable` are what `divide` makes of the lines, if that is known: otherwise `special` is
    None. `selecting` is False if no `SELECTING` field is known to be among them, `framed` if no field that frames
    content is, `asking` if neither `TE` nor `Expect` is.
    """

    __slots__ = (
        "asking",
        "framed",
        "kept",
        "lines",
        "major",
        "method",
        "minor",
        "selecting",
        "should_close",
        "special",
        "spoofable",
        "target",
        "upgrade",
    )

    def __init__(
        self,
        method: str,
        target: str,
        major: int,
        minor: int,
        lines: list[Pair],
        should_close: bool,
        upgrade: bool,
        fields: RequestFields | None = None,
    ) -> None:
        self.method = method
        self.target = target
        self.major = major
        self.minor = minor
        self.lines = lines
        self.should_close = should_close
        self.upgrade = upgrade
        self.kept: list[Pair] = lines
        self.special: dict[bytes, bytes] | None = None
        self.spoofable = False
        self.selecting = True
        self.framed = True
        self.asking = True
        if fields is not None:
            kept = self.kept = lines.copy()
            for place in reversed(fields.dropped):
                del kept[place]
            self.special = fields.special
            self.spoofable = fields.spoofable
            self.selecting = fields.selecting
            self.framed = fields.framed
            self.asking = fields.asking
