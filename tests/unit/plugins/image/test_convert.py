"""Images are converted as they are shown, and as small as they may be."""

import pytest
from adc_plugins.image.convert import BROKEN, DONE, KEPT, OVERSIZED, Order, convert
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.kit.images import (
    BLUE,
    GPS,
    GREEN,
    RED,
    WHITE,
    animated,
    exif,
    noise,
    opened,
    photo,
    png_bomb,
    profile,
    quarters,
    saved,
    swapped_profile,
)


def order(image_format="", asked=(0, 0), most=(2048, 2048), fit="", **more):
    values = {"quality": 80, "most_pixels": 10_000_000, "strip": True, "srgb": True} | more
    return Order(image_format, asked, most, fit, **values)


def result(data, *arguments, **options):
    outcome, content_type, content = convert(data, *order(*arguments, **options))
    assert outcome == DONE
    return content_type, content, opened(content)


def corners(image):
    """The colours in the middle of the quarters of an image, to the nearest pure colour."""
    image = image.convert("RGB")
    width, height = image.size
    found = []
    for place in range(4):
        pixel = image.getpixel(
            (width // 4 + place % 2 * (width // 2), height // 4 + place // 2 * (height // 2))
        )
        found.append(tuple(255 if value > 127 else 0 for value in pixel))
    return found


UPRIGHT = [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("image_format", ["avif", "webp"])
def test_jpeg_becomes_the_format_and_smaller(image_format):
    data = photo()
    content_type, content, image = result(data, image_format)
    assert (content_type, image.format) == (f"image/{image_format}", image_format.upper())
    assert image.size == (400, 200)
    assert corners(image) == UPRIGHT
    assert len(content) < len(data)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["", "webp", "avif"])
@pytest.mark.parametrize("width", [0, 100])
def test_orientation_is_applied(orientation, image_format, width):
    _, content, image = result(photo(orientation=orientation), image_format, (width, 0))
    assert image.size == ((100, 50) if width else (400, 200))
    assert corners(image) == UPRIGHT
    assert image.getexif().get(0x0112, 1) == 1
    assert GPS not in content


@pytest.mark.parametrize("orientation", [1, 6])
def test_orientation_is_applied_to_a_part(orientation):
    image = noise(400, 200)
    image.paste(quarters(200, 200), (100, 0))
    if orientation == 6:
        image = image.transpose(Image.Transpose.ROTATE_90)
    data = saved(image, "JPEG", exif=exif(orientation))
    _, _, made = result(data, "webp", (100, 100), fit="cover")
    assert made.size == (100, 100)
    assert corners(made) == UPRIGHT


@pytest.mark.parametrize("image_format", ["", "webp", "avif"])
def test_metadata_is_not_in_the_result(image_format):
    _, content, _ = result(photo(), image_format, (100, 0))
    assert GPS not in content
    assert b"Camera" not in content
    assert b"a comment" not in content


def test_metadata_is_not_in_an_image_that_is_kept():
    data = saved(quarters(), "JPEG", quality=30, exif=exif(6), comment=b"a comment")
    outcome, _, content = convert(data, *order(quality=100))
    assert outcome == KEPT
    assert GPS not in content
    assert b"a comment" not in content
    kept = opened(content)
    assert kept.getexif().get(0x0112) == 6
    assert kept.tobytes() == opened(data).tobytes()


def test_kept_image_is_not_touched_if_metadata_is_kept():
    data = saved(quarters(), "JPEG", quality=30, exif=exif())
    assert convert(data, *order(quality=100, strip=False)) == (KEPT, "", b"")


@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF", "BMP"])
@pytest.mark.parametrize("asked", [(100, 0), (0, 50), (100, 4000), (100, 60)])
def test_image_is_reduced_within_the_size(source, asked):
    _, _, image = result(saved(noise(), source), "webp", asked, most=(4096, 4096))
    assert image.size == (100, 50)


def test_image_is_never_enlarged():
    _, _, image = result(saved(noise(), "PNG"), "webp", (4000, 0), most=(4096, 4096))
    assert image.size == (400, 200)


def test_image_is_reduced_to_the_maximum_unasked():
    _, _, image = result(saved(noise(), "PNG"), "webp", most=(200, 4096))
    assert image.size == (200, 100)


@pytest.mark.parametrize(
    ("asked", "size"), [((50, 50), (50, 50)), ((1000, 500), (400, 200)), ((400, 400), (200, 200))]
)
def test_covered_size_has_the_ratio_that_was_asked_for(asked, size):
    _, _, image = result(saved(noise(), "PNG"), "webp", asked, fit="cover")
    assert image.size == size


def test_progressive_jpeg_is_read_and_written():
    _, _, image = result(saved(noise(), "JPEG", progressive=True), "", (200, 0))
    assert image.format == "JPEG"
    assert image.info["progressive"]


@pytest.mark.parametrize("image_format", ["", "webp", "avif"])
def test_cmyk_becomes_rgb(image_format):
    data = saved(quarters(mode="CMYK"), "JPEG", quality=95)
    _, _, image = result(data, image_format, (100, 0))
    assert image.mode == "RGB"
    assert corners(image) == UPRIGHT


def test_grey_of_16_bits_keeps_its_levels():
    image = Image.new("I;16", (64, 64))
    image.paste(65535, (0, 0, 32, 32))
    image.paste(32896, (32, 0, 64, 32))
    data = saved(image.resize((640, 640), Image.Resampling.NEAREST), "PNG")
    _, _, made = result(data, "webp", (64, 0), quality=95)
    grey = made.convert("L")
    assert grey.getpixel((16, 16)) > 250
    assert abs(grey.getpixel((48, 16)) - 128) < 4
    assert grey.getpixel((16, 48)) < 4


@pytest.mark.parametrize("image_format", ["", "webp", "avif"])
def test_transparency_of_a_palette_stays(image_format):
    image = quarters().quantize(8)
    data = saved(image, "PNG", transparency=image.getpixel((10, 190)))
    outcome, _, content = convert(data, *order(image_format, (100, 0)))
    if outcome == KEPT:  # a few colours are smallest as they are
        content = data
    made = opened(content).convert("RGBA")
    width, height = made.size
    assert made.getpixel((width // 4, height * 3 // 4))[3] < 10
    assert made.getpixel((width // 4, height // 4))[3] > 245


@pytest.mark.parametrize("image_format", ["", "webp", "avif"])
def test_transparency_of_photos_stays(image_format):
    image = noise().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((400, 200)))
    _, _, made = result(saved(image, "PNG"), image_format, (200, 0))
    assert made.convert("RGBA").getpixel((100, 5))[3] < 30
    assert made.convert("RGBA").getpixel((100, 95))[3] > 225


@pytest.mark.parametrize(
    ("source", "alpha", "made"), [("WEBP", False, "JPEG"), ("WEBP", True, "PNG"), ("AVIF", False, "JPEG")]
)
def test_client_without_new_formats_gets_an_old_one(source, alpha, made):
    image = noise(800, 400)
    if alpha:
        image.putalpha(Image.new("L", image.size, 100))
    options = {"lossless": True} if source == "WEBP" else {"quality": 100}
    _, _, image = result(saved(image, source, **options), "", (200, 0))
    assert image.format == made


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_profile_of_other_colours_is_converted(mode):
    data = saved(quarters(mode=mode), "PNG" if mode == "RGBA" else "JPEG", icc_profile=swapped_profile())
    outcome, _, content = convert(data + bytes(10_000), *order("webp", (100, 0)))
    image = opened(content)
    assert outcome == DONE
    assert "icc_profile" not in image.info
    assert corners(image) == [BLUE, GREEN, RED, WHITE]


def test_profile_of_srgb_is_dropped():
    data = saved(noise(), "JPEG", quality=95, icc_profile=profile())
    _, _, image = result(data, "webp", (100, 0))
    assert "icc_profile" not in image.info


def test_profile_is_kept_if_the_options_say_so():
    data = saved(noise(), "JPEG", quality=95, icc_profile=profile())
    _, _, image = result(data, "webp", (100, 0), srgb=False)
    assert image.info["icc_profile"] == profile()


def test_broken_profile_does_no_harm():
    data = saved(noise(), "JPEG", quality=95, icc_profile=b"nonsense" * 50)
    _, _, image = result(data, "webp", (100, 0))
    assert image.size == (100, 50)


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP"])
def test_animated_image_is_kept(image_format):
    data = animated(image_format)
    outcome, _, content = convert(data, *order("avif", (100, 0)))
    assert outcome == KEPT
    assert opened(content).n_frames == 2


def test_static_gif_is_converted():
    _, _, image = result(saved(noise(), "GIF"), "webp", (100, 0))
    assert (image.format, image.size) == ("WEBP", (100, 50))


def test_image_of_several_cameras_is_read_as_the_first():
    data = saved(quarters(), "MPO", save_all=True, append_images=[noise()], quality=95)
    _, _, image = result(data, "webp")
    assert corners(image) == UPRIGHT


def test_larger_result_is_dropped():
    data = saved(quarters(), "PNG", optimize=True)
    assert convert(data, *order("avif"))[0] in (KEPT, DONE)
    outcome, _, content = convert(saved(noise(), "JPEG", quality=10), *order("webp", quality=100))
    assert outcome == KEPT
    assert opened(content).format == "JPEG"


@pytest.mark.parametrize("data", [png_bomb(), png_bomb(10_000, 1001), png_bomb(2**31 - 1, 2**31 - 1)])
def test_image_with_too_many_pixels_is_not_decoded(data):
    assert convert(data, *order("webp"))[0] in (OVERSIZED, BROKEN)
    assert convert(png_bomb(10_000, 1001), *order("webp"))[0] == OVERSIZED


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        photo()[:300],
        saved(noise(), "PNG")[:5000],
    ],
)
def test_broken_image_is_told(data):
    assert convert(data, *order("webp"))[0] == BROKEN


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 3000), st.binary(min_size=1, max_size=8), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"])
)
def test_damaged_image_never_raises(at, damage, image_format):
    data = bytearray(saved(noise(40, 20), image_format))
    at = at % len(data)
    data[at : at + len(damage)] = damage
    assert convert(bytes(data), *order("webp", (10, 0)))[0] in (DONE, KEPT, OVERSIZED, BROKEN)
