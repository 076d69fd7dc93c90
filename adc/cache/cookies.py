"""Cookies of a request that choose among stored responses (`Vary: Cookie`) and belong to keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import translate

from adc.http.cookies import MAX_COOKIES
from adc.http.headers import Headers


@dataclass(frozen=True, slots=True)
class CookieRules:
    """The cookies that count. Names are compared as written.

    `ignored` matches excluded names, `only` are the sole names that count (None: all). `own`: each removes the proxy's
    cookies from a header block, like on the way to the member.
    """

    ignored: re.Pattern[str] | None = None
    only: re.Pattern[str] | None = None
    own: tuple[Callable[[Headers], None], ...] = ()

    def pairs(self, headers: Headers) -> list[bytes]:
        """Return the `name=value` pairs that count, in the order received.

        All of them count if there are too many, or if a quoted string may hide one that the application sees: a pair
        must not be left out of the key and still choose the response.
        """
        lines = headers.get_all(b"cookie")
        if lines and self.own:
            block = Headers((b"Cookie", line) for line in lines)
            for take_out in self.own:
                take_out(block)
            lines = block.get_all(b"cookie")
        pairs = [pair for item in b";".join(lines).split(b";") if (pair := item.strip(b" \t"))]
        filtered = self.ignored is not None or self.only is not None
        if not filtered or len(pairs) > MAX_COOKIES or any(pair.count(b'"') % 2 for pair in pairs):
            return pairs
        return [pair for pair in pairs if self._counts(pair.partition(b"=")[0].strip(b" \t"))]

    def value(self, headers: Headers) -> bytes | None:
        """Return the Cookie field as it counts, None if nothing is left of it. Too many pairs are not looked at."""
        line = headers.joined(b"cookie")
        if line is None or line.count(b";") > MAX_COOKIES:
            return line
        return b"; ".join(self.pairs(headers)) or None

    def _counts(self, name: bytes) -> bool:
        text = name.decode("latin-1")
        if self.ignored is not None and self.ignored.match(text):
            return False
        return self.only is None or self.only.match(text) is not None


EVERY_COOKIE = CookieRules()


def cookie_names(patterns: Iterable[str]) -> re.Pattern[str]:
    """Compile shell patterns (`_ga_*`) of cookie names, any of which may match."""
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")
