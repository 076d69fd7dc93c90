"""The origins that may read responses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from adc.plugin import Options, Pattern

LONGEST = 300
_ORIGIN = re.compile(r"([a-z][a-z0-9+.\-]*)://(\*\.)?((?:\[[0-9a-f:.]+\]|[a-z0-9_\-.]+))(:[0-9]{1,5})?")
_PORTS = {"http": ":80", "https": ":443"}
ANY = "*"


class OriginPattern(Options):
    """Origins by a regular expression."""

    regex: str
    """Expression (RE2) that an origin must match from its beginning to its end, in lower case."""


class Origins:
    """Origins that are named, their subdomains (`https://*.example.com`), or match an expression.

    Raises ValueError for an origin that no browser sends.
    """

    def __init__(self, allowed: Iterable[str | OriginPattern], null: bool) -> None:
        self._exact: set[str] = {"null"} if null else set()
        self._below: list[tuple[str, str]] = []
        self._patterns: list[Pattern] = []
        self.any = False
        for each in allowed:
            if isinstance(each, OriginPattern):
                Pattern(each.regex)  # alone: no group of it may end the one below
                self._patterns.append(Pattern(rf"\A(?:{each.regex})\z"))
            elif each == ANY:
                self.any = True
            else:
                self._add(each)

    def _add(self, text: str) -> None:
        found = _ORIGIN.fullmatch(text.lower())
        if found is None:
            raise ValueError(
                f"{text!r:.100} is no origin; "
                'write scheme://host, scheme://host:port, scheme://*.host, {regex: ...} or "*"'
            )
        scheme, wildcard, host, port = found.groups()
        port = "" if port is None or port == _PORTS.get(scheme) else port
        if wildcard:
            self._below.append((f"{scheme}://", f".{host}{port}"))
        else:
            self._exact.add(f"{scheme}://{host}{port}")

    def allow(self, origin: str) -> bool:
        """True if pages of `origin` may read responses."""
        if len(origin) > LONGEST:
            return False
        origin = origin.lower()
        if origin in self._exact:
            return True
        if origin == "null":
            return False
        if self.any:
            return True
        return self._is_below(origin) or any(pattern.found_in(origin) for pattern in self._patterns)

    def _is_below(self, origin: str) -> bool:
        for scheme, suffix in self._below:
            if origin.startswith(scheme) and origin.endswith(suffix):
                labels = origin[len(scheme) : -len(suffix)]
                if labels and re.fullmatch(r"[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)*", labels):
                    return True
        return False
