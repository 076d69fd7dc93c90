"""Metadata is cut out of files without a change to their pixels."""

import pytest
from adc_plugins.image.metadata import stripped
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import PngImagePlugin

from tests.kit.images import GPS, animated, exif, noise, opened, photo, profile, quarters, saved

XMP = b"<x:xmpmeta>secret place</x:xmpmeta>"


def texts():
    made = PngImagePlugin.PngInfo()
    made.add_text("Comment", "secret place")
    made.add_itxt("XML:com.adobe.xmp", "secret place")
    made.add_text("Long", "secret place", zip=True)
    return made


FILES = {
    "jpeg": photo(),
    "progressive": photo(progressive=True),
    "jpeg with xmp": saved(quarters(), "JPEG", xmp=XMP, exif=exif(), icc_profile=profile()),
    "png": saved(quarters(), "PNG", exif=exif(), pnginfo=texts()),
    "webp": saved(quarters(), "WEBP", exif=exif(), xmp=XMP, icc_profile=profile()),
    "lossless webp": saved(quarters(), "WEBP", exif=exif(), lossless=True),
    "animated webp": animated("WEBP", exif=exif()),
    "animated png": animated("PNG", exif=exif()),
}


@pytest.mark.parametrize("name", FILES)
def test_metadata_goes_and_pixels_and_profile_stay(name):
    data = FILES[name]
    content = stripped(data)
    assert GPS in data or b"secret place" in data
    assert GPS not in content
    assert b"secret place" not in content
    before, after = opened(data), opened(content)
    assert after.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()
    assert after.info.get("icc_profile") == before.info.get("icc_profile")
    assert getattr(after, "n_frames", 1) == getattr(before, "n_frames", 1)
    assert not after.getexif()
    assert stripped(content) == content


@pytest.mark.parametrize("data", [photo(), saved(quarters(), "PNG", exif=exif())])
def test_orientation_stays_alone(data):
    made = opened(stripped(data, 6)).getexif()
    assert dict(made) == {0x0112: 6}


def test_images_behind_the_end_of_a_jpeg_go():
    second = photo()
    data = saved(quarters(), "MPO", save_all=True, append_images=[noise()]) + second
    content = stripped(data)
    assert GPS not in content
    assert opened(content).tobytes() == opened(data).tobytes()


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a...", b"RIFF1234WAVE", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
def test_other_content_stays(data):
    assert stripped(data) == data


@settings(deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 5000), st.binary(max_size=6))
def test_damaged_files_never_raise(name, at, damage):
    data = FILES[name]
    at = at % len(data)
    stripped(data[:at] + damage + data[at + len(damage) :])
    stripped(data[:at])
