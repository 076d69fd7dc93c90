"""A guess at the charset of content that does not declare it. No I/O."""

from __future__ import annotations

import re

from adc_plugins.charset.charsets import UTF_8, Charset, find
from charset_normalizer import from_bytes

SAMPLE = 4096
"""Bytes that are looked at, from the first on that is not ASCII."""

_CANDIDATES = {
    "cp949": "euc-kr",
    "cp932": "shift_jis",
    "euc_jp": "euc-jp",
    "gb18030": "gb18030",
    "big5": "big5",
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
"""Codecs, and the charsets that they stand for. Those of Latin letters differ in too little to tell them apart."""

_LONG = 4
"""Bytes of the longest character."""

_designations = (
    (re.compile(rb"\x1b\$\)C"), "iso-2022-kr"),
    (re.compile(rb"\x1b(?:\$[@B]|\([IJ])"), "iso-2022-jp"),
)
_kana = re.compile("[\u3041-\u30fe]")

unusual = re.compile(rb"[\x80-\xff\x1b]").search
"""Finds what hardly any ASCII text has."""


def detect(sample: bytes) -> Charset | None:
    """Return the charset that `sample` is probably in, None if it cannot be told."""
    for designation, name in _designations:
        if sample.isascii() and designation.search(sample):
            return find(name)
    if _is_utf_8(sample):
        return UTF_8
    if _is_japanese(sample):
        return find("shift_jis")
    best = from_bytes(sample, cp_isolation=list(_CANDIDATES), enable_fallback=False).best()
    return find(_CANDIDATES.get(best.encoding, "")) if best is not None else None


def _is_utf_8(sample: bytes) -> bool:
    """True if `sample` is UTF-8; its last character may be cut."""
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and len(sample) - error.start < _LONG
    return True


def _is_japanese(sample: bytes) -> bool:
    """True if `sample` is text with kana in Shift_JIS: read as EUC-KR, short ones look like Korean."""
    for cut in range(2):
        try:
            text = sample[: len(sample) - cut].decode("cp932")
        except UnicodeDecodeError:
            continue
        letters = sum(character > "\x7f" for character in text)
        return 3 * len(_kana.findall(text)) > letters
    return False
