"""The character encoding of a document, found as browsers find it."""

from __future__ import annotations

import re

from webencodings import Encoding, lookup

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_PRESCANNED = 1024
_CHARSET = re.compile(
    rb"charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:\"([^\"]*)\"|'([^']*)'|([^\t\n\f\r ;\"']+))", re.IGNORECASE
)
_SKIPPED = re.compile(rb"<!--.*?-->|<!-->|<[!/?][^>]*>", re.DOTALL)
_META = re.compile(rb"<meta[\t\n\f\r /]", re.IGNORECASE)
_TAG = re.compile(rb"</?[a-zA-Z][^\t\n\f\r >]*")
_ATTRIBUTE = re.compile(
    rb"""[\t\n\f\r /]*([^\t\n\f\r />=][^\t\n\f\r />=]*)
    (?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r >]*)))?""",
    re.VERBOSE,
)
_XML = re.compile(rb"""<\?xml[\t\n\r ][^>]*?encoding[\t\n\r ]*=[\t\n\r ]*(?:"([^"]*)"|'([^']*)')""")


def encoding_of(content: bytes, content_type: bytes, default: str = "windows-1252") -> Encoding:
    """Return the encoding of a document: that of its byte order mark, of the field Content-Type, of a `meta` element
    within the first 1024 bytes, or `default`."""
    for mark, name in _BOMS:
        if content.startswith(mark):
            return _known(name)
    return (
        _of_content_type(content_type)
        or _prescanned(content[:_PRESCANNED])
        or _of_xml_declaration(content[:_PRESCANNED])
        or _known(default)
    )


def byte_order_mark(content: bytes) -> bytes:
    """Return the byte order mark that `content` begins with, b"" if there is none."""
    return next((mark for mark, _ in _BOMS if content.startswith(mark)), b"")


def decoded(content: bytes, encoding: Encoding) -> str:
    """Return the text of a document, without a byte order mark; malformed bytes become U+FFFD."""
    text: str = encoding.codec_info.decode(content.removeprefix(byte_order_mark(content)), "replace")[0]
    return text


def _known(label: str) -> Encoding:
    found = lookup(label)
    if found is None:
        raise ValueError(f"{label!r} is not the label of an encoding")
    return found


def _labelled(label: bytes) -> Encoding | None:
    return lookup(label.decode("latin-1"))


def _of_content_type(value: bytes) -> Encoding | None:
    found = _CHARSET.search(value.partition(b";")[2])
    return _labelled(_group(found)) if found else None


def _group(found: re.Match[bytes]) -> bytes:
    return next((each for each in found.groups() if each is not None), b"")


def _prescanned(beginning: bytes) -> Encoding | None:
    """Return the encoding that the first `meta` element names that names one."""
    position = 0
    while (position := beginning.find(b"<", position)) >= 0:
        meta = _META.match(beginning, position)
        skipped = None if meta else _SKIPPED.match(beginning, position)
        if meta:
            attributes, position = _attributes(beginning, meta.end() - 1)
            encoding = _of_meta(attributes)
            if encoding is not None:
                return encoding
        elif skipped:
            position = skipped.end()
        elif tag := _TAG.match(beginning, position):
            position = _attributes(beginning, tag.end())[1]
        else:
            position += 1
    return None


def _attributes(beginning: bytes, position: int) -> tuple[dict[bytes, bytes], int]:
    attributes: dict[bytes, bytes] = {}
    while found := _ATTRIBUTE.match(beginning, position):
        value = found[2] or found[3] or found[4] or b""
        attributes.setdefault(found[1].lower(), value)
        position = found.end()
    return attributes, position


def _of_meta(attributes: dict[bytes, bytes]) -> Encoding | None:
    encoding = None
    if b"charset" in attributes:
        encoding = _labelled(attributes[b"charset"])
    elif attributes.get(b"http-equiv", b"").lower() == b"content-type":
        found = _CHARSET.search(attributes.get(b"content", b""))
        encoding = _labelled(_group(found)) if found else None
    if encoding is not None and encoding.name.startswith("utf-16"):
        return _known("utf-8")  # the bytes of the `meta` element show that it is wrong
    return encoding


def _of_xml_declaration(beginning: bytes) -> Encoding | None:
    found = _XML.match(beginning)
    return _labelled(_group(found)) if found else None
