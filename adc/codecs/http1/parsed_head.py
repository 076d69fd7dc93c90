"""A request head as a parser read it, before it is checked."""

from __future__ import annotations

from adc.http.headers import Pair


class ParsedHead:
    """Start line and field lines. `should_close` and `upgrade` are the parser's reading of `Connection`."""

    __slots__ = ("lines", "major", "method", "minor", "should_close", "target", "upgrade")

    def __init__(
        self,
        method: str,
        target: str,
        major: int,
        minor: int,
        lines: list[Pair],
        should_close: bool,
        upgrade: bool,
    ) -> None:
        self.method = method
        self.target = target
        self.major = major
        self.minor = minor
        self.lines = lines
        self.should_close = should_close
        self.upgrade = upgrade
