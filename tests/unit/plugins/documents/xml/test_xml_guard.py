"""Limits and well-formedness, chunk by chunk."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adc_plugins.documents.xml.encoding import KNOWN, ToUtf8
from adc_plugins.documents.xml.guard import XmlGuard
from adc_plugins.documents.xml.limits import XmlLimits
from adc_plugins.documents.xml.refused import XmlRefused
from hypothesis import given
from hypothesis import strategies as st

from tests.kit.xml_attacks import ATTACKS

LIMITS = XmlLimits()
DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<!-- an order --><o:order xmlns:o="urn:order" id='1'>
  <customer>한글 &amp; &#65;<![CDATA[<x>]]></customer><?keep it?>
  <item sku="a"/></o:order>
"""


def check(document: str | bytes, step: int = 0, locations: bool = False, **limits: int) -> None:
    data = document.encode() if isinstance(document, str) else document
    guard = XmlGuard(replace(LIMITS, **limits), ToUtf8("", frozenset(KNOWN)), None, locations)
    for start in range(0, len(data), step or len(data)):
        guard.feed(data[start : start + (step or len(data))])
    guard.feed(b"", True)


def refusal(document: str | bytes, step: int = 0, **limits: int) -> XmlRefused | None:
    try:
        check(document, step, **limits)
    except XmlRefused as refused:
        return refused
    return None


def test_well_formed_document_passes() -> None:
    check(DOCUMENT)


@pytest.mark.parametrize(
    ("limit", "most", "within", "beyond"),
    [
        ("depth", 2, "<a><b/><b/></a>", "<a><b><c/></b></a>"),
        ("nodes", 3, "<a x=''><b/></a>", "<a x='' y=''><b/></a>"),
        ("attributes", 2, "<a x='' y=''/>", "<a x='' y='' z=''/>"),
        ("attributes", 2, "<a x='' xmlns='u'/>", "<a x='' xmlns='u' xmlns:v='v'/>"),
        ("attribute_size", 3, "<a x='한글1'/>", "<a x='1234'/>"),
        ("name_length", 3, "<abc abc=''/>", "<abcd/>"),
        ("name_length", 3, "<abc xmlns='urn:longer'/>", "<a abcd=''/>"),
        ("name_length", 3, "<abc:abc xmlns:abc='u'/>", "<a xmlns:abcd='u'/>"),
        ("names", 3, "<a><b/><b/><c/></a>", "<a><b c=''/><d/></a>"),
        (
            "namespaces",
            2,
            "<a xmlns='u'><b xmlns='v'/><b xmlns='v'/></a>",
            "<a xmlns='u'><b xmlns='v'><c xmlns='w'/></b></a>",
        ),
        ("text", 3, "<a>123<b/>456</a>", "<a>12<![CDATA[34]]></a>"),
        ("size", 10, "<a>123</a>", "<a>1234</a>"),
    ],
)
def test_limit_is_the_largest_allowed_value(limit: str, most: int, within: str, beyond: str) -> None:
    assert refusal(within, **{limit: most}) is None
    refused = refusal(beyond, **{limit: most})
    assert refused is not None
    assert str(most) in refused.reason


@pytest.mark.parametrize("markup", ["<a x='{}'/>", "<a><!--{}--></a>", "<a><?x {}?></a>"])
def test_markup_without_an_end_in_reach_is_refused(markup: str) -> None:
    assert refusal(markup.format("x" * 30_000), markup=40_000) is None
    refused = refusal(markup.format("x" * 90_000), markup=40_000)
    assert refused is not None
    assert "40000 bytes" in refused.reason


def test_refusal_has_line_and_column() -> None:
    refused = refusal("<a>\n  <b>\n</a>")
    assert refused is not None
    assert (refused.line, refused.reason) == (3, "mismatched tag")
    refused = refusal("<a>\n  <b><c/></b></a>", depth=2)
    assert refused is not None
    assert (refused.line, refused.column) == (2, 6)


def test_schema_location_passes_where_it_is_ignored() -> None:
    text = "<a xmlns:x='http://www.w3.org/2001/XMLSchema-instance' x:schemaLocation='u v'/>"
    assert refusal(text) is not None
    check(text, locations=True)


def test_content_that_comes_byte_by_byte_is_parsed_a_bounded_number_of_times() -> None:
    """An unfinished token is read again only when it has grown by half."""
    guard = XmlGuard(LIMITS, ToUtf8("", frozenset(KNOWN)))
    calls = []

    class Counting:
        def __init__(self, parser: object) -> None:
            self._parser = parser

        def __getattr__(self, name: str) -> object:
            return getattr(self._parser, name)

        def Parse(self, data: bytes, end: bool) -> None:  # noqa: N802 (expat's name)
            calls.append(len(data))
            self._parser.Parse(data, end)  # type: ignore[attr-defined]

    guard._parser = Counting(guard._parser)  # type: ignore[assignment]
    for byte in b"<a x='" + b"x" * 20_000:
        guard.feed(bytes([byte]))
    assert len(calls) < 60


SMALL = {name: attack for name, attack in ATTACKS.items() if not attack[1] and len(attack[2]) < 2000}


@given(st.sampled_from([DOCUMENT.encode(), *(each[2] for each in SMALL.values())]), st.data())
def test_any_split_gives_the_same_verdict(document: bytes, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, max(1, len(document))))
    assert (refusal(document, size) is None) is (refusal(document) is None)
