"""Sizes of results. No I/O."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """The size of the result, and the part of the source that it shows as fractions of the source: left, top, right,
    bottom."""

    width: int
    height: int
    box: tuple[float, float, float, float]


WHOLE = (0.0, 0.0, 1.0, 1.0)


def target(size: tuple[int, int], asked: tuple[int, int], most: tuple[int, int], *, cover: bool) -> Target:
    """Return the result for a source of `size`, never larger than that.

    `asked` is the requested width and height, 0 for none; `most` bounds both. With `cover` the source is cropped around
    its centre to the ratio of the request.
    """
    width, height = size
    if cover and asked[0] and asked[1]:
        return _covered(size, _bounded(asked, most))
    limits = (min(asked[0] or most[0], most[0]), min(asked[1] or most[1], most[1]))
    scale = min(limits[0] / width, limits[1] / height, 1.0)
    return Target(max(1, round(width * scale)), max(1, round(height * scale)), WHOLE)


def _bounded(asked: tuple[int, int], most: tuple[int, int]) -> tuple[int, int]:
    """Return the requested size within the bounds, in its ratio."""
    scale = min(most[0] / asked[0], most[1] / asked[1], 1.0)
    return max(1, round(asked[0] * scale)), max(1, round(asked[1] * scale))


def _covered(size: tuple[int, int], asked: tuple[int, int]) -> Target:
    width, height = size
    scale = min(width / asked[0], height / asked[1])
    shown = asked[0] * scale / width, asked[1] * scale / height
    left, top = (1 - shown[0]) / 2, (1 - shown[1]) / 2
    made = min(scale, 1.0)
    return Target(
        max(1, round(asked[0] * made)),
        max(1, round(asked[1] * made)),
        (left, top, left + shown[0], top + shown[1]),
    )


def turned(box: tuple[float, float, float, float], orientation: int) -> tuple[float, float, float, float]:
    """Return the box of an image as shown, as the box of the image as stored with an EXIF `orientation` of 1 to 8."""
    left, top, right, bottom = box
    if orientation in (5, 6, 7, 8):
        left, top, right, bottom = top, left, bottom, right
    return left, top, right, bottom
