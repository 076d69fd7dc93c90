"""Content on its way through the rules: any split into chunks gives the same output. No I/O."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Sequence

from adc_plugins.substitute.finders import NOTHING, Finder, Found
from adc_plugins.substitute.literal import Replace

Replacer = Callable[[Found], bytes]


class Stream(ABC):
    """Replaces matches in content that comes in chunks. What was replaced is not searched again."""

    @abstractmethod
    def feed(self, data: bytes, end: bool) -> bytes:
        """Return what can be sent on after the next chunk, everything at the `end`."""


class Tail:
    """Tells how much of the end of a chunk may be the beginning of a text. `most` is the size of the longest text."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.most = max(map(len, texts))
        self._texts = tuple(sorted(text.lower() for text in texts))
        firsts = {text[:1] for text in self._texts} | {text[:1].upper() for text in self._texts}
        self._first = re.compile(b"|".join(re.escape(first) for first in firsts))

    def begin(self, data: bytes, start: int) -> int:
        """Return where from `start` on the first text may begin whose rest did not come yet; the length of `data` if
        none may."""
        for found in self._first.finditer(data, max(start, len(data) - self.most + 1)):
            rest = data[found.start() :].lower()
            at = bisect_left(self._texts, rest)
            if at < len(self._texts) and self._texts[at].startswith(rest):
                return found.start()
            if rest.startswith(self._texts):
                return found.start()
        return len(data)


class OneLiteral(Stream):
    """One text that does not overlap itself, and one replacement: one call for each chunk. What waits at the end of a
    chunk is no part of an occurrence before it."""

    def __init__(self, replace: Replace, tail: Tail, counted: Callable[[int], None]) -> None:
        self._replace = replace
        self._tail = tail
        self._counted = counted
        self._buffered = b""

    def feed(self, data: bytes, end: bool) -> bytes:
        data = self._buffered + data if self._buffered else data
        until = len(data) if end else self._tail.begin(data, 0)
        self._buffered = data[until:]
        made, count = self._replace(data[:until])
        if count:
            self._counted(count)
        return made


class OneText(Stream):
    """One text and one replacement: two passes in C."""

    def __init__(self, text: bytes, replacement: bytes, tail: Tail, counted: Callable[[int], None]) -> None:
        self._text = text
        self._replacement = replacement
        self._tail = tail
        self._counted = counted
        self._buffered = b""

    def feed(self, data: bytes, end: bool) -> bytes:
        parts = (self._buffered + data if self._buffered else data).split(self._text)
        rest = parts[-1]
        until = len(rest) if end else self._tail.begin(rest, 0)
        self._buffered = rest[until:]
        if len(parts) == 1:
            return rest[:until]
        self._counted(len(parts) - 1)
        parts[-1] = rest[:until]
        return self._replacement.join(parts)


class Rules:
    """The finders that are still in use, and the replacements. Rules in `once` leave after their first match."""

    def __init__(
        self,
        finders: Sequence[Finder],
        once: frozenset[int],
        replace: Replacer,
        counted: Callable[[int], None],
    ) -> None:
        self._finders = list(finders)
        self._once = once
        self._replace = replace
        self._counted = counted

    def run(
        self, data: bytes, start: int, until: int, end: int, cut: bool = False
    ) -> tuple[list[bytes], int]:
        """Replace the matches that begin between `start` and `until` and lie before `end`; return what the content is
        up to the end of the last one, and that place. `cut`: matches that reach `end` are left, because they might be
        longer."""
        made: list[bytes] = []
        replace = self._replace
        found = [finder.search(data, start, end) for finder in self._finders]
        while found and (best := min(found))[0] < until:
            begin, rule, after, _ = best
            if cut and after == end:
                found[found.index(best)] = NOTHING
                continue
            made += (data[start:begin], replace(best))
            start = after
            if rule in self._once:
                self._leave(rule, found)
            for number, each in enumerate(found):
                if each[0] < start:
                    found[number] = self._finders[number].search(data, start, end)
        self._counted(len(made) // 2)
        return made, start

    def _leave(self, rule: int, found: list[Found]) -> None:
        number = next(number for number, finder in enumerate(self._finders) if finder.first == rule)
        del self._finders[number], found[number]


class ManyTexts(Stream):
    """Plain rules. A match is decided once the longest text would have come from its beginning on."""

    def __init__(self, rules: Rules, tail: Tail) -> None:
        self._rules = rules
        self._tail = tail
        self._buffered = b""

    def feed(self, data: bytes, end: bool) -> bytes:
        data = self._buffered + data if self._buffered else data
        decided = len(data) if end else len(data) - self._tail.most + 1
        made, at = self._rules.run(data, 0, decided, len(data))
        until = len(data) if end else self._tail.begin(data, at)
        self._buffered = data[until:]
        if not made:
            return data if until == len(data) else data[:until]
        made.append(data[at:until])
        return b"".join(made)


class Blocks(Stream):
    """Rules with regular expressions. A match begins in a block of `window` bytes and ends before the end of the next
    one; blocks begin at multiples of `window` of the content, whatever the chunks. A longer match is left as it is,
    and its rule has no other in that block."""

    def __init__(self, rules: Rules, window: int) -> None:
        self._rules = rules
        self._window = window
        self._data = b""
        self._at = 0
        """Where in `_data` the block begins: one byte before it stays, for `^` and `\\b`."""
        self._skip = 0
        """Bytes at the beginning of the block that the last match covered."""

    def feed(self, data: bytes, end: bool) -> bytes:
        data = self._data = self._data + data
        window, size = self._window, len(self._data)
        made: list[bytes] = []
        while size > self._at + 2 * window:
            self._block(made, self._at + window, self._at + 2 * window, cut=True)
        while end and self._at < size:
            self._block(made, min(self._at + window, size), size, cut=False)
        before = min(self._at, 1)
        self._data, self._at = data[self._at - before :], before
        return b"".join(made)

    def _block(self, made: list[bytes], until: int, end: int, *, cut: bool) -> None:
        """Send on what lies before `until`, with the matches that begin in it and lie before `end`."""
        after = self._at + self._skip
        if after < until:
            replaced, after = self._rules.run(self._data, after, until, end, cut)
            made += replaced
            made.append(self._data[after:until])
        self._skip = max(after - until, 0)
        self._at = until
