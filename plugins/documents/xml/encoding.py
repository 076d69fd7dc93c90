"""Encodings of XML documents (XML 1.0 appendix F, RFC 7303): which one a document has, and its text as UTF-8.

The byte order mark, the `charset` of the Content-Type and the XML declaration must agree: a document that two parsers
could read in two ways is refused. Encodings in which the bytes of `<` can mean something else (UTF-7, EBCDIC, ISO-2022,
UTF-32) are refused as well.
"""

from __future__ import annotations

import codecs
import re

from adc_plugins.documents.xml.refused import XmlRefused

UTF8 = "utf-8"
UTF16 = "utf-16"
_UTF16_ORDERS = {"utf-16le": "utf-16-le", "utf-16be": "utf-16-be"}

_CODECS = {
    "us-ascii": "ascii",
    UTF8: "utf-8",
    **{f"iso-8859-{number}": f"iso8859-{number}" for number in range(1, 17) if number != 12},
    **{f"windows-{number}": f"cp{number}" for number in (874, *range(1250, 1259))},
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "tis-620": "tis-620",
    "euc-kr": "cp949",
    "euc-jp": "euc-jp",
    "shift_jis": "cp932",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
}
"""Encodings whose bytes below 128 mean ASCII where a character begins, and Python's codec of each."""

_ALIASES = {
    "ascii": "us-ascii",
    "utf8": UTF8,
    "latin1": "iso-8859-1",
    "iso_8859-1": "iso-8859-1",
    "iso8859-1": "iso-8859-1",
    "cp1252": "windows-1252",
    "ks_c_5601-1987": "euc-kr",
    "cp949": "euc-kr",
    "uhc": "euc-kr",
    "windows-949": "euc-kr",
    "x-euc-jp": "euc-jp",
    "sjis": "shift_jis",
    "shift-jis": "shift_jis",
    "windows-31j": "shift_jis",
    "cp932": "shift_jis",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "big5-hkscs": "big5",
}
KNOWN = (*_CODECS, UTF16)
"""Names of all encodings that can be allowed."""

DECLARATION_MOST = 1024
"""Bytes within which an XML declaration must end."""

_DECLARED = re.compile(
    rb"<\?xml[ \t\r\n][^>]{0,512}?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*[\"']([A-Za-z0-9._\-]{1,40})[\"']"
)
_REFUSED_STARTS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\0\0\0<", "UTF-32"),
    (b"<\0\0\0", "UTF-32"),
    (b"\x4c\x6f\xa7\x94", "EBCDIC"),
    (b"+ADw-", "UTF-7"),
    (b"+/v", "UTF-7"),
    (b"\x0e\xfe\xff", "SCSU"),
    (b"\xe0\0\0\1", "Fast Infoset"),
)
_BOMS = ((b"\xef\xbb\xbf", UTF8), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))


def canonical(name: str) -> str:
    """Return the name that this module uses for an encoding label, lower-case."""
    lower = name.strip().lower()
    return _ALIASES.get(lower, lower)


def looks_like_xml(beginning: bytes) -> bool:
    """True if content that begins so may be XML, in any encoding that parsers know."""
    if beginning.startswith((*(mark for mark, _ in _REFUSED_STARTS), *(mark for mark, _ in _BOMS[1:]))):
        return True
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\v\f\0")
    return text.startswith(b"<")


class ToUtf8:
    """Content of one document as it comes in, and as UTF-8.

    `charset` is the parameter of its Content-Type, "" if there is none; `allowed` are names of KNOWN.
    """

    __slots__ = ("_allowed", "_charset", "_decoder", "_held", "encoding")

    def __init__(self, charset: str, allowed: frozenset[str]) -> None:
        self.encoding = ""
        """The name of the encoding, "" until enough content has come."""
        self._charset = canonical(charset)
        self._allowed = allowed
        self._held = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, data: bytes, end: bool = False) -> bytes:
        """Return the next content as UTF-8; nothing while the encoding is unknown. Raises XmlRefused."""
        if not self.encoding:
            self._held += data
            if not (end or _complete(self._held)):
                return b""
            data, self._held = self._held, b""
            self._begin(data)
        if self._decoder is None:
            return data
        try:
            return self._decoder.decode(data, end).encode()
        except UnicodeError:
            raise XmlRefused(f"the content is not in its encoding, {self.encoding}") from None

    def check_declared(self, name: str | None) -> None:
        """Compare the encoding that the parsed XML declaration names. Raises XmlRefused."""
        declared = canonical(name) if name else ""
        if self.encoding in _UTF16_ORDERS:
            agrees = declared in ("", UTF16, self.encoding)
        elif not declared:
            agrees = self.encoding == UTF8 or self.encoding == self._charset
        else:
            agrees = declared == self.encoding
        if not agrees:
            raise XmlRefused(f"the XML declaration does not agree with the encoding {self.encoding}")

    def _begin(self, data: bytes) -> None:
        self.encoding = self._detect(data)
        family = UTF16 if self.encoding in _UTF16_ORDERS else self.encoding
        if family not in self._allowed or family not in KNOWN:
            raise XmlRefused(f"the encoding {_printable(self.encoding)} is not allowed")
        if self.encoding in _UTF16_ORDERS:
            self._decoder = codecs.getincrementaldecoder(_UTF16_ORDERS[self.encoding])("strict")
        elif self.encoding != UTF8:
            self._decoder = codecs.getincrementaldecoder(_CODECS[self.encoding])("strict")

    def _detect(self, data: bytes) -> str:
        for start, name in _REFUSED_STARTS:
            if data.startswith(start):
                raise XmlRefused(f"the encoding {name} is not allowed")
        for mark, marked in _BOMS:
            if data.startswith(mark):
                family = UTF16 if marked in _UTF16_ORDERS else marked
                if self._charset not in ("", marked, family):
                    raise XmlRefused(
                        f"the charset of the Content-Type does not agree with the mark of {family}"
                    )
                return marked
        if b"\0" in data[:4] and self._charset in _UTF16_ORDERS:
            return self._charset
        found = _DECLARED.match(data)
        name = self._charset or (canonical(found[1].decode()) if found else UTF8)
        if b"\0" in data[:4] or name.startswith(UTF16):
            raise XmlRefused("UTF-16 without a byte order mark is not allowed")
        return name


def _complete(data: bytes) -> bool:
    """True if an XML declaration is complete in `data`, or cannot follow."""
    if len(data) >= DECLARATION_MOST:
        return True
    if len(data) < 6:
        return False
    text = data.removeprefix(b"\xef\xbb\xbf")
    return not (len(text) < 6 or text.startswith(b"<?xml")) or b"?>" in text


def _printable(name: str) -> str:
    return re.sub(r"[^a-z0-9._\-]", "?", name[:40]) or "?"
