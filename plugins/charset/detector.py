"""A guess at the charset of content that does not declare it. No I/O."""

from __future__ import annotations

import re

from adc_plugins.charset.charsets import UTF_8, Charset, find
from adc_plugins.charset.likelihood import likeliest
from charset_normalizer import from_bytes

SAMPLE = 4096
"""Bytes that are looked at, from the first on that is not ASCII."""

_CANDIDATES = {
    "koi8_r": "koi8-r",
    "cp1251": "windows-1251",
    "cp866": "ibm866",
    "cp1253": "windows-1253",
    "cp1255": "windows-1255",
    "cp1256": "windows-1256",
    "cp874": "windows-874",
    "cp1252": "",
    "cp1250": "",
    "cp1254": "",
}
"""Codecs of single bytes, and the charsets that they stand for. Those of Latin letters differ in too little to be told
apart."""

_designations = (
    (re.compile(rb"\x1b\$\)C"), "iso-2022-kr"),
    (re.compile(rb"\x1b(?:\$[@B]|\([IJ])"), "iso-2022-jp"),
)

unusual = re.compile(rb"[\x80-\xff\x1b]").search
"""Finds what hardly any ASCII text has."""


def detect(sample: bytes) -> Charset | None:
    """Return the charset that `sample` is probably in, None if it cannot be told."""
    for designation, name in _designations:
        if sample.isascii() and designation.search(sample):
            return find(name)
    if _is_utf_8(sample):
        return UTF_8
    if name := likeliest(sample):
        return find(name)
    best = from_bytes(sample, cp_isolation=list(_CANDIDATES), enable_fallback=False).best()
    return find(_CANDIDATES.get(best.encoding, "")) if best is not None else None


def _is_utf_8(sample: bytes) -> bool:
    """True if `sample` is UTF-8; the last character of a full one may be cut."""
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(sample) == SAMPLE and error.reason == "unexpected end of data"
    return True
