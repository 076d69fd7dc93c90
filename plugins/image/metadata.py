"""Images without the metadata in them, their pixels untouched. No I/O."""

from __future__ import annotations

import re
import struct
from zlib import crc32

_EXIF = b"Exif\0\0"
_JPEG_KEPT = {0xE0, 0xE2, 0xEE}
"""APP0 (JFIF), APP2 (colour profile), APP14 (Adobe's colour transform)."""
_ALONE = {0x01, *range(0xD0, 0xD8)}
"""Markers without a length."""
_marker = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]").search
"""The next marker behind pixels, in which 0xFF is followed by 0 or begins a restart marker."""
_PROFILE = b"ICC_PROFILE\0"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DROPPED = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}
_WEBP_DROPPED = {b"EXIF", b"XMP "}
_WEBP_FLAGS = 0x08 | 0x04
"""EXIF and XMP, in the first byte of VP8X."""


def stripped(data: bytes, orientation: int = 1) -> bytes:
    """Return a JPEG, PNG or WebP image without EXIF, XMP, IPTC, texts and comments; others as they are.

    An EXIF `orientation` other than 1 is kept in a JPEG or PNG, alone. A file that is not as it should be is returned
    as far as it was understood.
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data, orientation)
    if data.startswith(_PNG):
        return _png(data, orientation)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return data


def _orientation_only(orientation: int) -> bytes:
    """Return a TIFF structure with one entry (EXIF 2.3 section 4.6.2)."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def _jpeg(data: bytes, orientation: int) -> bytes:
    made = [b"\xff\xd8"]
    if 1 < orientation <= 8:
        content = _EXIF + _orientation_only(orientation)
        made.append(b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content)
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == 0xD9:  # phones put further images, with their own EXIF, behind the end
            return b"".join([*made, b"\xff\xd9"])
        after = at + 2 + (0 if marker in _ALONE else struct.unpack_from(">H", data, at + 2)[0])
        if marker == 0xDA:  # pixels up to the next marker
            following = _marker(data, after)
            after = len(data) if following is None else following.start()
        if not _is_metadata(marker, data[at : at + 20]):
            made.append(data[at:after])
        at = after
    return b"".join([*made, data[at:]])


def _is_metadata(marker: int, segment: bytes) -> bool:
    if marker == 0xFE:  # a comment
        return True
    if not 0xE0 <= marker <= 0xEF:
        return False
    return marker not in _JPEG_KEPT or (marker == 0xE2 and not segment[4:].startswith(_PROFILE))


def _png(data: bytes, orientation: int) -> bytes:
    made, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        size = struct.unpack_from(">I", data, at)[0]
        name, after = data[at + 4 : at + 8], at + 12 + size
        if name not in _PNG_DROPPED:
            made.append(data[at:after])
        if name == b"IHDR" and 1 < orientation <= 8:
            made.append(_png_chunk(b"eXIf", _orientation_only(orientation)))
        at = after
        if name == b"IEND":
            return b"".join(made)
    made.append(data[at:])
    return b"".join(made)


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc32(name + content))


def _webp(data: bytes) -> bytes:
    made, at = [], 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        after = at + 8 + size + (size & 1)
        chunk = data[at:after]
        if name == b"VP8X" and len(chunk) > 8:
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_FLAGS]) + chunk[9:]
        if name not in _WEBP_DROPPED:
            made.append(chunk)
        at = after
    content = b"".join(made) + data[at:]
    return b"RIFF" + struct.pack("<I", len(content) + 4) + b"WEBP" + content
