"""Options of the plugin `image`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from adc_plugins.image.variant import Fit, Sizes
from pydantic import Field, model_validator

from adc.plugin import ContentTypes, Duration, Options, Size

Format = Literal["avif", "webp"]
Parameter = Literal["w", "h", "dpr", "q", "fit"]
Policy = Literal["pass", "reject"]
Pixels = Annotated[int, Field(ge=1, le=16384)]
Quality = Annotated[int, Field(ge=1, le=100)]

_SIZES = (
    10, 16, 20, 24, 25, 32, 40, 48, 50, 60, 64, 75, 80, 96, 100, 120, 128, 150, 160, 180, 192, 200, 240, 250,
    256, 300, 320, 350, 360, 375, 400, 450, 480, 500, 512, 600, 640, 700, 720, 750, 768, 800, 900, 960, 1000,
    1024, 1080, 1200, 1280, 1366, 1400, 1440, 1500, 1600, 1800, 1920, 2000, 2048, 2400, 2560, 3000, 3200, 3840,
)  # fmt: skip
"""Sizes by default: the ones that pages ask for. They are few, because each is a variant to convert and to store."""

_TYPES = ["image/jpeg", "image/jpg", "image/png", "image/webp", "image/avif", "image/gif", "image/bmp"]


class ImageOptions(Options):
    """Formats, sizes and limits."""

    formats: tuple[Format, ...] = ("avif", "webp")
    """Formats that images are converted to for clients that name them in `Accept`, the preferred one first."""

    max_width: Pixels = 2048
    """Maximum width; wider images are reduced to it, requested or not."""

    max_height: Pixels = 4096
    """Maximum height."""

    widths: tuple[Pixels, ...] | None = None
    """Widths that clients may request; by default the usual ones (10, 16, 20, ... 100, 120, 128, 150, ... 3840) up to
    `max_width`, and `max_width` itself."""

    heights: tuple[Pixels, ...] | None = None
    """Heights that clients may request; by default the same numbers up to `max_height`."""

    other_sizes: Literal["snap", "refuse"] = "snap"
    """Reaction to a requested size that is not allowed: snap, use the next larger one; or refuse, with 400."""

    parameters: tuple[Parameter, ...] = ("w", "h", "dpr", "q", "fit")
    """Query parameters that are read: width, height, device pixel ratio (multiplies width and height), quality, fit."""

    forward_parameters: bool = False
    """Send the parameters to the member, in their normal form; by default they are removed."""

    fit: Fit = "contain"
    """Fit of an image for which both width and height are requested: contain, within them; or cover, cropped around its
    centre to their ratio. Images are never enlarged."""

    quality: Quality = 80
    """Quality of lossy formats, 1 to 100."""

    qualities: tuple[Quality, ...] = (40, 60, 80)
    """Qualities that clients may request with `q`, besides `quality`; others become the nearest one."""

    client_hints: bool = False
    """Read `Sec-CH-Width`, `Sec-CH-DPR` and `Save-Data`; what the query says takes precedence."""

    save_data_quality: Quality = 50
    """Maximum quality for clients that send `Save-Data: on`, with `client_hints`."""

    metadata: Literal["strip", "keep"] = "strip"
    """Metadata of images (EXIF with positions, XMP, comments): strip; or keep, in images that are not converted. The
    orientation is always applied."""

    colors: Literal["srgb", "keep"] = "srgb"
    """Colour profiles: srgb, colours are converted to sRGB; or keep, the profile is kept. CMYK always becomes sRGB."""

    content_types: ContentTypes = Field(default=_TYPES, validate_default=True)
    """Media types that are converted. Animated images and SVG pass as they are."""

    max_size: Size = 20 << 20
    """Larger content passes as it is."""

    max_pixels: Annotated[int, Field(ge=1, le=500_000_000)] = 50_000_000
    """Images with more pixels are not decoded."""

    on_oversized: Policy = "reject"
    """Reaction to an image with more than `max_pixels`: reject, with 502; or pass it as it is."""

    on_broken: Policy = "pass"
    """Reaction to an image that cannot be decoded, in time and memory: pass it as it is; or reject, with 502."""

    on_busy: Policy = "pass"
    """Reaction when `queue` images wait already, or one has waited for `wait`: pass it as it is, with `Cache-Control:
    no-store`; or reject, with 503."""

    processes: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes of each worker that convert images."""

    queue: Annotated[int, Field(ge=0, le=10_000)] = 32
    """Images that may wait for a process, in each worker."""

    wait: Annotated[Duration, Field(gt=0, le=25)] = 10.0
    """Maximum time until an image is converted, waiting included; up to 25s."""

    memory: Annotated[Size, Field(ge=128 << 20)] = 1280 << 20
    """Address space of a process, 128MB or more."""

    nice: Annotated[int, Field(ge=0, le=19)] = 19
    """Niceness of the processes, 0 to 19: how much they give way to the worker."""

    @model_validator(mode="after")
    def _sizes_within_bounds(self) -> Self:
        for name, listed, most in (
            ("widths", self.widths, self.max_width),
            ("heights", self.heights, self.max_height),
        ):
            above = [size for size in listed or () if size > most]
            if above:
                raise ValueError(f"{name} has {above[0]}, which is above the maximum of {most}")
            if listed == ():
                raise ValueError(f"{name} is empty; list at least one, or leave it out")
        return self

    def sizes(self) -> Sizes:
        """Return what clients may request."""
        return Sizes(
            _listed(self.widths, self.max_width),
            _listed(self.heights, self.max_height),
            tuple(sorted({*self.qualities, self.quality})),
            frozenset(self.parameters),
            self.fit,
            self.quality,
            self.other_sizes == "refuse",
        )


def _listed(listed: tuple[int, ...] | None, most: int) -> tuple[int, ...]:
    """Return the allowed numbers, ascending."""
    if listed is not None:
        return tuple(sorted(set(listed)))
    return tuple(sorted({most, *(size for size in _SIZES if size < most)}))
