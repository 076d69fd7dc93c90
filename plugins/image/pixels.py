"""Decoding, drawing and coding with pillow, in a process that converts images."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any

from adc_plugins.image.convert import BROKEN, DONE, KEPT, OVERSIZED, Order, Result
from adc_plugins.image.geometry import WHOLE, Target, target, turned
from adc_plugins.image.metadata import stripped
from PIL import Image, ImageCms

_READ = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP")
_SIDEWAYS = {5, 6, 7, 8}
_ORIENTATION = 0x0112
_TYPES = {"avif": "image/avif", "webp": "image/webp", "jpeg": "image/jpeg", "png": "image/png"}
_SRGB = ImageCms.createProfile("sRGB")
_AVIF_SPEED = 8
"""Of 0 to 10: a quarter of the time of the default, 6, at the same size within 2 %."""
_WEBP_METHOD = 2
"""Of 0 to 6: a third of the time of the default, 4, at 7 % more bytes."""

warnings.simplefilter("ignore")
Image.MAX_IMAGE_PIXELS = None  # `_opened` looks first


class _Unfit(Exception):
    """The image is left as it is; `outcome` says why."""

    def __init__(self, outcome: int) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def converted(data: bytes, order: Order) -> Result:
    """Return what `adc_plugins.image.convert.convert` promises."""
    try:
        image = _opened(data, order.most_pixels)
        return _converted(data, image, order)
    except _Unfit as unfit:
        return unfit.outcome, "", stripped(data) if order.strip and unfit.outcome == KEPT else b""
    except MemoryError:
        raise
    except Exception:  # whatever the decoders raise for content that is not as it should be
        return BROKEN, "", b""


def _opened(data: bytes, most_pixels: int) -> Image.Image:
    """Return the image with its head read, and no pixel yet. Raises _Unfit."""
    image = Image.open(io.BytesIO(data), formats=_READ)
    if image.width * image.height > most_pixels:
        raise _Unfit(OVERSIZED)
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise _Unfit(KEPT)
    return image


def _converted(data: bytes, image: Image.Image, order: Order) -> Result:
    source = "jpeg" if image.format == "MPO" else str(image.format).lower()
    orientation = _orientation(image)
    shown = (image.height, image.width) if orientation in _SIDEWAYS else image.size
    wanted = target(shown, order.asked, order.most, cover=order.fit == "cover")
    resized = (wanted.width, wanted.height) != shown or wanted.box != WHOLE
    palette = image.mode in ("P", "1")
    made_format = order.format or _own(source, image)
    if not resized and source == made_format != "jpeg" and orientation == 1:
        raise _Unfit(KEPT)  # decoding and coding again gains nothing
    profile = image.info.get("icc_profile")
    made, profile = _coloured(_drawn(image, wanted, orientation), profile, order.srgb)
    content = _encoded(made, made_format, order.quality, profile, palette=palette)
    if len(content) >= len(data):
        return KEPT, "", stripped(data, orientation) if order.strip else b""
    return DONE, _TYPES[made_format], content


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # EXIF that is not as it should be says nothing
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _own(source: str, image: Image.Image) -> str:
    """Return a format that every client accepts."""
    if source in ("jpeg", "png"):
        return source
    return "png" if _has_alpha(image) or source in ("gif", "bmp") else "jpeg"


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _drawn(image: Image.Image, wanted: Target, orientation: int) -> Image.Image:
    """Return the pixels of the result, as they are shown."""
    size = (wanted.height, wanted.width) if orientation in _SIDEWAYS else (wanted.width, wanted.height)
    box = turned(wanted.box, orientation)
    if box == WHOLE:
        image.draft(None, size)  # a JPEG is decoded at a half, quarter or eighth where that is large enough
    image.load()
    image = _plain_mode(image)
    whole = (0, 0, *image.size)
    pixels = (
        whole
        if box == WHOLE
        else tuple(share * side for share, side in zip(box, image.size * 2, strict=True))
    )
    if size != image.size or pixels != whole:
        image = image.resize(size, Image.Resampling.LANCZOS, box=pixels, reducing_gap=2.0)  # type: ignore[arg-type]
    return _upright(image, orientation)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _plain_mode(image: Image.Image) -> Image.Image:
    """Return the image in a mode that can be resized: L, RGB, RGBA, or CMYK until its colours are converted."""
    if _has_alpha(image):
        return image.convert("RGBA")
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _coloured(image: Image.Image, profile: Any, srgb: bool) -> tuple[Image.Image, bytes | None]:
    """Return the image in colours that its colour profile, which is returned too, describes; None for sRGB."""
    if profile and (srgb or image.mode == "CMYK"):
        image, profile = _in_srgb(image, profile), None
    if image.mode == "CMYK":
        image, profile = image.convert("RGB"), None
    return image, profile


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return the image in sRGB; as it is if the profile cannot be used."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        if image.mode == "RGBA":
            colours = ImageCms.profileToProfile(image.convert("RGB"), source, _SRGB, outputMode="RGB")
            assert colours is not None
            colours.putalpha(image.getchannel("A"))
            return colours
        if image.mode == "L":
            return image
        made = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
        return image if made is None else made
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError, struct.error):
        return image


def _encoded(
    image: Image.Image, made_format: str, quality: int, profile: bytes | None, *, palette: bool
) -> bytes:
    out = io.BytesIO()
    image.info = {}  # comments and the like of the source, which encoders would write
    own: dict[str, Any] = {"icc_profile": profile}
    if made_format == "jpeg":
        image.save(out, "JPEG", quality=quality, progressive=True, optimize=True, **own)
    elif made_format == "webp":
        image.save(out, "WEBP", quality=quality, method=_WEBP_METHOD, lossless=palette, **own)
    elif made_format == "avif":
        image.save(out, "AVIF", quality=quality, speed=_AVIF_SPEED, max_threads=1, **own)
    else:
        if palette:
            image = image.quantize(256, method=Image.Quantize.FASTOCTREE)
        image.save(out, "PNG", compress_level=6, **own)
    return out.getvalue()
