"""The variant of an image that a request asks for. No I/O."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple
from urllib.parse import unquote_plus

Fit = Literal["contain", "cover"]
FITS: tuple[Fit, ...] = ("contain", "cover")

_NAMED = 20
_WHOLE = re.compile(r"[0-9]{1,6}", re.ASCII)
_RATIO = re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,4})?", re.ASCII)
_MOST_RATIO = 8.0


class Refused(ValueError):
    """A request for something that is not allowed; the text says what is."""


class Variant(NamedTuple):
    """`width` and `height` are the maximum, 0 if none was requested; `format` is "" for the image's own."""

    format: str
    width: int
    height: int
    fit: str
    quality: int

    @property
    def mark(self) -> bytes:
        """Return the mark of the variant in the key of a cache."""
        return f"{self.format},{self.width},{self.height},{self.fit},{self.quality}".encode()


class Hints(NamedTuple):
    """What client hints say: the width in pixels, the device pixel ratio, and whether to save data."""

    width: str = ""
    ratio: str = ""
    save: bool = False


class Sizes(NamedTuple):
    """What clients may request: `widths`, `heights` and `qualities`, ascending, by the `parameters` that are read."""

    widths: Sequence[int]
    heights: Sequence[int]
    qualities: Sequence[int]
    parameters: frozenset[str]
    fit: str
    quality: int
    refuses: bool

    def variant(
        self, query: Mapping[str, Sequence[str]], hints: Hints, image_format: str, save_quality: int
    ) -> Variant:
        """Return the variant that a query asks for, in allowed numbers only. Raises Refused."""
        said = {name: query[name][0] for name in self.parameters if query.get(name)}
        ratio = self._ratio(said.get("dpr") or hints.ratio)
        width = self._size("w", said, self.widths, ratio)
        height = self._size("h", said, self.heights, ratio)
        if not width and hints.width:
            width = self._snapped("w", hints.width, self.widths, 1.0)
        fit = said.get("fit", self.fit)
        if fit not in FITS:
            self._refuse("fit", fit, FITS)
            fit = self.fit
        quality = self._quality(said.get("q"))
        if hints.save:
            quality = min(quality, save_quality)
        return Variant(image_format, width, height, fit if width and height else "", quality)

    def _size(self, name: str, said: Mapping[str, str], allowed: Sequence[int], ratio: float) -> int:
        return self._snapped(name, said[name], allowed, ratio) if name in said else 0

    def _snapped(self, name: str, value: str, allowed: Sequence[int], ratio: float) -> int:
        """Return the smallest allowed number that is large enough, else the largest; 0 for no number."""
        if not _WHOLE.fullmatch(value) or int(value) == 0:
            self._refuse(name, value, allowed)
            return 0
        wanted = round(int(value) * ratio)
        if ratio == 1.0 and wanted not in allowed:
            self._refuse(name, value, allowed)
        return allowed[min(bisect_left(allowed, wanted), len(allowed) - 1)]

    def _ratio(self, value: str) -> float:
        if not value:
            return 1.0
        if _RATIO.fullmatch(value) and 0 < float(value) <= _MOST_RATIO:
            return float(value)
        self._refuse("dpr", value, ("a number up to 8",))
        return 1.0

    def _quality(self, value: str | None) -> int:
        if value is None:
            return self.quality
        if not _WHOLE.fullmatch(value):
            self._refuse("q", value, self.qualities)
            return self.quality
        wanted = int(value)
        if wanted not in self.qualities:
            self._refuse("q", value, self.qualities)
        return min(self.qualities, key=lambda quality: abs(quality - wanted))

    def _refuse(self, name: str, value: str, allowed: Sequence[object]) -> None:
        """Raise Refused, unless such requests get what is nearest."""
        if self.refuses:
            named = [
                *map(str, allowed[:_NAMED]),
                *(["..."] if len(allowed) > _NAMED else []),
                str(allowed[-1]),
            ]
            raise Refused(f"{name}={value[:20]!r} is not allowed; use {', '.join(dict.fromkeys(named))}")


def without(query: str, parameters: frozenset[str], variant: Variant | None) -> str:
    """Return `query` without these parameters; with a variant they follow in their normal form."""
    kept = [
        part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in parameters
    ]
    if variant is not None:
        numbers = (("w", variant.width), ("h", variant.height))
        kept += [f"{name}={number}" for name, number in numbers if number and name in parameters]
        kept += [f"q={variant.quality}"] if "q" in parameters else []
        kept += [f"fit={variant.fit}"] if "fit" in parameters and variant.fit else []
    return "&".join(kept)
