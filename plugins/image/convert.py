"""The job of a process that converts images. Pillow is imported there only, with the first job."""

from __future__ import annotations

from typing import NamedTuple

DONE, KEPT, OVERSIZED, BROKEN = range(4)

Result = tuple[int, str, bytes]
"""What was done, and the content type and content of the result."""


class Order(NamedTuple):
    """What is wanted. `format` is "" for the image's own; `asked` are width and height, 0 for none, and `most` bounds
    them. `strip`: no metadata; `srgb`: colours in sRGB."""

    format: str
    asked: tuple[int, int]
    most: tuple[int, int]
    fit: str
    quality: int
    most_pixels: int
    strip: bool
    srgb: bool


def convert(data: bytes, *order: object) -> Result:
    """Return the image that is wanted, which `order` describes as the fields of an Order.

    KEPT: it is better left as it is (animated, or smaller than the result); the content is b"" or lacks its metadata.
    OVERSIZED: it has too many pixels, and was not decoded. BROKEN: it cannot be decoded.
    """
    from adc_plugins.image.pixels import converted

    return converted(data, Order(*order))  # type: ignore[arg-type]
