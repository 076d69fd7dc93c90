"""Path rules, all on the normalised path (`adc.http.target`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from adc.http.target import normalise_path
from adc.routing.values import Exact, Regex


@dataclass(frozen=True, slots=True)
class PathPrefix:
    """Whole segments: `/app/` takes `/app/` and all below, neither `/apple` nor `/app` itself.

    Written without the closing slash, `/app` takes `/app` too.
    """

    text: str

    def accepts(self, path: str) -> bool:
        if self.text.endswith("/"):
            return path.startswith(self.text)
        return path == self.text or path.startswith(f"{self.text}/")

    def __str__(self) -> str:
        return f"{self.text}*" if self.text.endswith("/") else f"{self.text}[/*]"


@dataclass(frozen=True, slots=True)
class AnyCase:
    """Matches the same as `rule`, ignoring letter case; the rule is in folded case."""

    rule: Exact | PathPrefix | Regex

    def accepts(self, path: str) -> bool:
        return self.rule.accepts(folded(path))

    def __str__(self) -> str:
        return f"{self.rule} (any case)"


PathRule = Exact | PathPrefix | Regex | AnyCase

_encoded_text = re.compile(r"(?:%[89A-F][0-9A-F])+")
_beyond_ascii = re.compile(r"[^\x00-\x7f]+")


def path_rule(text: str) -> Exact | PathPrefix:
    """Return the rule of a plain string: a prefix if it ends in `/`, otherwise exact. Raises `ValueError`."""
    return path_prefix(text) if text.endswith("/") else path_exact(text)


def path_exact(text: str) -> Exact:
    """Return the condition that a path is `text`, which is normalised as a request's path is. Raises `ValueError`."""
    return Exact(_normal(text))


def path_prefix(text: str) -> PathPrefix:
    """Return the condition that a path is `text`, normalised, or below it. Raises `ValueError`."""
    return PathPrefix(_normal(text))


def any_case(rule: Exact | PathPrefix | Regex) -> AnyCase:
    """Return `rule` without regard to letter case. A `Regex` keeps its text: it ignores case by itself."""
    if isinstance(rule, Exact):
        return AnyCase(Exact(folded(rule.text)))
    if isinstance(rule, PathPrefix):
        return AnyCase(PathPrefix(folded(rule.text)))
    return AnyCase(Regex(f"(?i){rule.text}"))


def folded(path: str) -> str:
    """Return a normalised path in folded case, beyond ASCII too (`%C3%89` is `%C3%A9`)."""
    if "%" in path:
        path = _encoded_text.sub(_folded_text, path)
    return path.casefold()


def _folded_text(match: re.Match[str]) -> str:
    """Escapes whose characters fold into ASCII, such as those of the Kelvin sign, become ASCII; so does the dotless i,
    which is I in upper case."""
    text = unquote(match[0], errors="surrogateescape").upper().casefold()
    return quote(text, errors="surrogateescape")


def _normal(text: str) -> str:
    if "?" in text:
        raise ValueError("a path has no '?'; match the query with the key 'query'")
    return normalise_path(_beyond_ascii.sub(lambda match: quote(match[0]), text))
