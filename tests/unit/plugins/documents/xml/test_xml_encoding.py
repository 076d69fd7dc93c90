"""Which encoding a document has, and that all that name it agree."""

from __future__ import annotations

import pytest
from adc_plugins.documents.xml.encoding import KNOWN, ToUtf8, looks_like_xml
from adc_plugins.documents.xml.refused import XmlRefused
from hypothesis import given
from hypothesis import strategies as st

ALL = frozenset(KNOWN)
TEXT = "<a>한글</a>"


def read(data: bytes, charset: str = "", allowed: frozenset[str] = ALL) -> tuple[str, bytes]:
    source = ToUtf8(charset, allowed)
    text = source.feed(data, True)
    return source.encoding, text


def declared(name: str, text: str = TEXT) -> str:
    return f'<?xml version="1.0" encoding="{name}"?>{text}'


@pytest.mark.parametrize(
    ("name", "codec"),
    [("euc-kr", "cp949"), ("KS_C_5601-1987", "cp949"), ("gb18030", "gb18030"), ("UTF-8", "utf-8")],
)
def test_declared_encoding_is_decoded(name: str, codec: str) -> None:
    text = declared(name)
    assert read(text.encode(codec))[1].decode() == text


def test_charset_is_used_where_nothing_is_declared() -> None:
    assert read("<a>日本</a>".encode("shift_jis"), "Shift_JIS")[1].decode() == "<a>日本</a>"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_byte_order_mark_gives_the_order(codec: str) -> None:
    data = ("\ufeff" + TEXT).encode(codec)
    assert read(data)[1].decode("utf-8-sig") == TEXT
    assert read(data, "utf-16")[1].decode("utf-8-sig") == TEXT
    assert read(TEXT.encode(codec), codec.replace("16-", "16"))[1].decode() == TEXT


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (TEXT.encode("utf-16"), "utf-8"),
        (TEXT.encode("utf-16-le"), ""),
        (TEXT.encode("utf-16-le"), "utf-16"),
        (TEXT.encode(), "utf-16le"),
        (TEXT.encode(), "utf-7"),
        (TEXT.encode("utf-32"), ""),
        (declared("utf-7").encode(), ""),
        (declared("utf-16").encode(), ""),
        (declared("cp037").encode("cp037", "replace"), ""),
        (b"\xef\xbb\xbf<a/>", "euc-kr"),
    ],
)
def test_disagreement_and_unsafe_encodings_are_refused(data: bytes, charset: str) -> None:
    with pytest.raises(XmlRefused):
        read(data, charset)


def test_declaration_must_agree_with_what_was_decoded() -> None:
    source = ToUtf8("utf-8", ALL)
    source.feed(declared("euc-kr").encode(), True)
    source.check_declared("UTF-8")
    for name in ("euc-kr", "utf-16"):
        with pytest.raises(XmlRefused, match="does not agree"):
            source.check_declared(name)


def test_only_allowed_encodings_are_decoded() -> None:
    with pytest.raises(XmlRefused, match="euc-kr is not allowed"):
        read(declared("euc-kr").encode("euc-kr"), allowed=frozenset({"utf-8"}))


def test_bytes_outside_the_encoding_are_refused() -> None:
    with pytest.raises(XmlRefused, match="not in its encoding"):
        read(declared("euc-kr", "<a>x").encode() + b"\xb0<")


def test_name_of_an_unknown_encoding_is_made_printable() -> None:
    with pytest.raises(XmlRefused) as refused:
        read(b"<a/>", 'x"\r\n\x1b')
    assert refused.value.reason.isprintable()


@given(st.sampled_from(["euc-kr", "utf-16", "gb18030", "utf-8"]), st.data())
def test_any_split_gives_the_same_text(name: str, data: st.DataObject) -> None:
    whole = declared(name).encode(name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    source = ToUtf8("", ALL)
    parts = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    text = b"".join(source.feed(part) for part in parts) + source.feed(b"", True)
    assert text == read(whole)[1]


@pytest.mark.parametrize(
    ("beginning", "is_xml"),
    [
        (b" \r\n<a/>", True),
        ("<a/>".encode("utf-16"), True),
        (b"\0<\0a", True),
        (b"+ADw-a", True),
        (b"\xef\xbb\xbf<a", True),
        (b"{}", False),
        (b"a=1&b=<a>", False),
        (b"", False),
    ],
)
def test_content_that_begins_like_xml_is_recognised(beginning: bytes, is_xml: bool) -> None:
    assert looks_like_xml(beginning) is is_xml
