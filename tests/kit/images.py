"""Images of every kind, made for a test."""

import functools
import io
import struct
import zlib

from PIL import Image, ImageCms

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
GPS = b"GPS-52.5200N"


def quarters(width=400, height=200, mode="RGB"):
    """Four fields: red and green above, blue and white below."""
    image = Image.new("RGB", (width, height))
    for place, colour in enumerate((RED, GREEN, BLUE, WHITE)):
        left, top = place % 2 * (width // 2), place // 2 * (height // 2)
        image.paste(colour, (left, top, left + width // 2, top + height // 2))
    return image.convert(mode)


def noise(width=400, height=200):
    """An image that no format makes small."""
    return Image.merge("RGB", [Image.effect_noise((width, height), 90) for _ in range(3)])


def saved(image, image_format, **options):
    """The file of an image."""
    out = io.BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


def opened(data):
    """The image of a file."""
    return Image.open(io.BytesIO(data))


def exif(orientation=1):
    """EXIF with an orientation, a place and the name of a camera."""
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010F] = "Camera"
    made[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0), 29: GPS.decode()}
    return made.tobytes()


def photo(width=400, height=200, orientation=1, **options):
    """A JPEG as a camera writes it. Shown upright it has red and green above."""
    image = quarters(width, height)
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    if orientation in turns:
        image = image.transpose(turns[orientation])
    return saved(image, "JPEG", quality=95, exif=exif(orientation), comment=b"a comment", **options)


@functools.cache
def profile(name="sRGB"):
    """An ICC profile, the same at every call: it holds the second in which it was made."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def swapped_profile():
    """An ICC profile that takes red for blue."""
    data = bytearray(profile())
    (count,) = struct.unpack_from(">I", data, 128)
    other = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    for at in range(132, 132 + 12 * count, 12):
        name = bytes(data[at : at + 4])
        data[at : at + 4] = other.get(name, name)
    return bytes(data).replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


def animated(image_format, **options):
    frames = [quarters(), quarters().rotate(180)]
    return saved(frames[0], image_format, save_all=True, append_images=frames[1:], duration=100, **options)


def png_bomb(width=60_000, height=60_000):
    """A PNG of a few hundred bytes with a head that promises billions of pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    content = zlib.compress(b"\0" * 100_000)
    chunks = [(b"IHDR", head), (b"IDAT", content), (b"IEND", b"")]
    made = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)
