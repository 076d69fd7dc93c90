"""Path rules, all on the normalised path (`adc.http.target`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

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


PathRule = Exact | PathPrefix | Regex

_beyond_ascii = re.compile(r"[^\x00-\x7f]+")


def path_rule(text: str) -> Exact | PathPrefix:
    """What a plain string means: a prefix if it ends in `/`, otherwise exact. Raises `ValueError`."""
    return path_prefix(text) if text.endswith("/") else path_exact(text)


def path_exact(text: str) -> Exact:
    """Exactly `text`, which is normalised as a request's path is. Raises `ValueError`."""
    return Exact(_normal(text))


def path_prefix(text: str) -> PathPrefix:
    """`text`, normalised, and what is below it. Raises `ValueError`."""
    return PathPrefix(_normal(text))


def _normal(text: str) -> str:
    if "?" in text:
        raise ValueError("a path has no '?'; match the query with the key 'query'")
    return normalise_path(_beyond_ascii.sub(lambda match: quote(match[0]), text))
