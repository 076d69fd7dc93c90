"""Charsets by their labels, as browsers know them (WHATWG Encoding Standard), with a few names of other software."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import webencodings
from adc_plugins.charset.big5_rest import BIG5_REST
from adc_plugins.charset.errors import Lookup, on_undecodable, on_unencodable

Pairs = tuple[tuple[str, str], ...]

_UNDEFINED = "\ufffe"

_OTHER_LABELS = {
    "cp949": "euc-kr",
    "ms949": "euc-kr",
    "uhc": "euc-kr",
    "x-windows-949": "euc-kr",
    "euckr": "euc-kr",
    "cp932": "shift_jis",
    "windows-932": "shift_jis",
    "eucjp": "euc-jp",
    "eucjp-ms": "euc-jp",
    "cp51932": "euc-jp",
    "cp936": "gbk",
    "ms936": "gbk",
    "windows-936": "gbk",
    "cp950": "big5",
    "ms950": "big5",
    "windows-950": "big5",
    "utf8mb4": "utf-8",
}
_STATEFUL = {"iso-2022-kr": "iso2022_kr", "csiso2022kr": "iso2022_kr", "hz-gb-2312": "hz"}
"""Charsets that browsers no longer decode."""

_CODECS = {
    "iso-2022-jp": "iso2022_jp_ext",
    "gbk": "gb18030",
    "iso-8859-8-i": "iso8859-8",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
"""Where the codec that the standard asks for is not the one that webencodings names."""

_ENCODERS = {"iso-2022-jp": "iso2022_jp", "gbk": "gbk"}
"""Where less may be written than is read."""

_LIKE_WINDOWS: Pairs = tuple(zip("〜‖−¢£¬", "～∥－￠￡￢", strict=True))
_PRIVATE_GB18030 = "\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7"
_PRIVATE_GB18030 += "\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864"
_REPLACED: dict[str, Pairs] = {
    "euc-jp": _LIKE_WINDOWS,
    "iso-2022-jp": _LIKE_WINDOWS,
    "gb18030": tuple(zip(_PRIVATE_GB18030, "\u3000︐︒︑︓︔︕︖︗︘︙ḿ龴龵龶龷龸龹龺龻", strict=True)),
    "big5": tuple(zip("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡", strict=True)),
}
"""Characters that the standard has in place of those of the codec."""

_SPELLED: dict[str, dict[str, str]] = {
    "shift_jis": {"−": "－", "〜": "～", "‖": "∥", "¢": "￠", "£": "￡", "¬": "￢", "¥": "\\", "‾": "~"},
    "euc-jp": {new: old for old, new in _LIKE_WINDOWS},
    "iso-2022-jp": {new: old for old, new in _LIKE_WINDOWS},
    "big5": {new: old for old, new in _REPLACED["big5"]},
}
"""What to encode where the codec does not have a character."""


@dataclass(frozen=True, slots=True)
class Charset:
    """One charset: its `name`, the codecs that decode and encode it, the `table` of a charset of single bytes (empty
    for others). `replaced` are characters of the codec and those that the standard has in their place. `ascii`: bytes
    below 0x80 are ASCII, except within a character. `errors` is the name of the codec's error handlers."""

    name: str
    codec: str
    encoder: str
    table: str = field(repr=False)
    replaced: Pairs = field(repr=False)
    ascii: bool
    errors: str

    @property
    def is_utf_8(self) -> bool:
        """True if this is UTF-8."""
        return self.name == "utf-8"


def find(label: str | bytes) -> Charset | None:
    """Return the charset with that label, in any case and with spaces around it; None if there is none."""
    text = label if isinstance(label, str) else label.decode("latin-1")
    text = text.strip("\t\n\f\r ").lower()
    return _made(text) if text and len(text) <= _LONGEST else None


_LONGEST = 40


def _made(label: str) -> Charset | None:
    if label in _STATEFUL:
        return _charset(label if label != "csiso2022kr" else "iso-2022-kr", _STATEFUL[label])
    encoding = webencodings.lookup(_OTHER_LABELS.get(label, label))
    if encoding is None or encoding.name in ("replacement", "x-user-defined"):
        return None
    return _charset(encoding.name, _CODECS.get(encoding.name, encoding.codec_info.name))


@cache
def _charset(name: str, codec: str) -> Charset:
    kind = "gb18030" if name == "gbk" else name
    errors = f"adc.charset.{kind}"
    on_undecodable(errors, _LOOKUPS.get(kind))
    on_unencodable(errors, _SPELLED.get(kind, {}))
    stateful = name in _STATEFUL or name.startswith(("utf-16", "iso-2022"))
    encoder = _ENCODERS.get(name, codec)
    return Charset(name, codec, encoder, _table(name, codec), _REPLACED.get(kind, ()), not stateful, errors)


def _table(name: str, codec: str) -> str:
    """Return the characters of the bytes of a charset of single bytes. The C1 controls are where nothing else is."""
    if name in _LONG or name in _STATEFUL or name.startswith("utf-"):
        return ""
    characters = [bytes([byte]).decode(codec, "replace").replace("\ufffd", _UNDEFINED) for byte in range(256)]
    for byte in range(0x80, 0xA0):
        characters[byte] = characters[byte].replace(_UNDEFINED, chr(byte))
    for byte, character in _CORRECTED.get(name, {}).items():
        characters[byte] = character
    return "".join(characters)


_LONG = frozenset({"euc-kr", "shift_jis", "euc-jp", "iso-2022-jp", "gbk", "gb18030", "big5"})
"""Charsets whose characters have several bytes."""

_CORRECTED = {"koi8-u": {0xAE: "ў", 0xBE: "Ў"}, "windows-1255": {0xCA: "\u05ba"}}


_NOTHING = ("", 0)


def _big5(data: bytes, wrong: int) -> tuple[str, int]:
    return BIG5_REST.get(data, ""), 2


def _euc_jp(data: bytes, wrong: int) -> tuple[str, int]:
    """Return a character that NEC and IBM added to JIS X 0208."""
    if len(data) < 2 or data[0] < 0xA1 or data[1] < 0xA1:
        return _NOTHING
    row, cell = data[0] - 0xA1, data[1] - 0xA1
    lead = row // 2 + (0x81 if row < 62 else 0xC1)
    trail = cell + 0x9F if row % 2 else cell + 0x40 + (cell >= 0x3F)
    try:
        return bytes((lead, trail)).decode("cp932"), 2
    except UnicodeDecodeError:
        return _NOTHING


def _iso_2022_jp(data: bytes, wrong: int) -> tuple[str, int]:
    """Return the same where two bytes are a character, which the charset itself does not show."""
    if wrong < 2 or not (0x21 <= data[0] <= 0x7E and 0x21 <= data[1] <= 0x7E):
        return _NOTHING
    return _euc_jp(bytes((data[0] | 0x80, data[1] | 0x80)), wrong)


def _gb18030(data: bytes, wrong: int) -> tuple[str, int]:
    return ("€", 1) if data[:1] == b"\x80" else _NOTHING


_LOOKUPS: dict[str, Lookup] = {
    "big5": _big5,
    "euc-jp": _euc_jp,
    "gb18030": _gb18030,
    "iso-2022-jp": _iso_2022_jp,
}

UTF_8 = _charset("utf-8", "utf-8")
WINDOWS_1252 = _charset("windows-1252", "cp1252")
