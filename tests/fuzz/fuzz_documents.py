"""Mutation fuzzing of the parsers of documents: XML in chunks, JSON, places of values, parameters of an API.

`python -m tests.fuzz.fuzz_documents [iterations] [seed]` runs as long as you like; `test_fuzz_documents.py` does so for
a moment.
"""

from __future__ import annotations

import sys
from random import Random

from adc_plugins.documents.content import content_type
from adc_plugins.documents.json.limits import JsonLimits
from adc_plugins.documents.json.places import place_of, repeated_name
from adc_plugins.documents.json.refused import JsonRefused
from adc_plugins.documents.json.text import RepeatedName
from adc_plugins.documents.json.text import parse as parse_json
from adc_plugins.documents.openapi.styles import Kinds, Style, from_header, from_path, from_query, query_pairs
from adc_plugins.documents.xml.encoding import KNOWN, ToUtf8
from adc_plugins.documents.xml.guard import XmlGuard
from adc_plugins.documents.xml.limits import XmlLimits
from adc_plugins.documents.xml.refused import XmlRefused
from adc_plugins.documents.xml.soap import SoapEnvelope, SoapMessage, SoapRules
from adc_plugins.documents.xml.tree import parse as parse_tree

ENVELOPE = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body><a:Get xmlns:a="urn:x"'
    b"/></s:Body></s:Envelope>"
)
DOCUMENTS = (
    b"<?xml version='1.0' encoding='UTF-8'?><!-- c --><a x='1' y=\"&lt;\"><b>t&#65;</b><![CDATA[x]]><?p i?></a>",
    '<?xml version="1.0" encoding="euc-kr"?><a>한글</a>'.encode("euc-kr"),
    '<?xml version="1.0" encoding="utf-16"?><a b="한"/>'.encode("utf-16"),
    ENVELOPE,
)
JSON = (
    b'{"a": [1, -2.5e3, true, null, "x\\u00e9\\n"], "b": {"c": {}, "d": []}, "e": ""}',
    b'{"a": 1, "b": [0, {"a": {"c": 2, "c": []}}]}',
    b'[{"a": "\\ud83d\\ude00"}, [[[]]], 0, "\\\\\\""]',
)
FIELDS = (
    b"text/xml; charset=\"utf-8\"; action='x;y'",
    b"color=R,100,G,200&a[b]=c&x=%20+%ZZ",
    b".a=1.b=2;c=3;c=4",
)
SPICE = (
    b"<",
    b">",
    b"&",
    b"]]>",
    b"<!",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b'"',
    b"\\",
    b"\\u",
    b"[",
    b"{",
    b"1e999",
    b";",
    b"=",
    b",",
    b"%",
)
XML_LIMITS = XmlLimits(depth=5, nodes=20, names=10, text=100)
JSON_LIMITS = JsonLimits(depth=5, values=30)
KINDS = (
    Kinds(frozenset({"string"})),
    Kinds(frozenset({"array"}), frozenset({"integer", "null"})),
    Kinds(frozenset({"object"}), frozenset(), {"R": frozenset({"number"})}),
)


def mutated(text: bytes, chance: Random) -> bytes:
    """`text` with one to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.randint(0, 6))
        piece = chance.choice(
            (b"", chance.choice(SPICE), bytes([chance.randrange(256)]), text[start:end] * 2)
        )
        text = text[:start] + piece + text[end:]
    return text


def xml_verdict(document: bytes, step: int, soap: bool) -> bytes | None:
    """The text of a document that is fed in steps; None if it is refused."""
    structure = SoapEnvelope(SoapRules(), SoapMessage("text/xml", None)) if soap else None
    guard = XmlGuard(XML_LIMITS, ToUtf8("", frozenset(KNOWN)), structure)
    try:
        parts = [guard.feed(document[start : start + step]) for start in range(0, len(document), step)]
        return b"".join(parts) + guard.feed(b"", True)
    except XmlRefused:
        return None


def check_xml(document: bytes, chance: Random) -> None:
    """Steps do not matter, and what the guard accepts has no document type for libxml2, which may be stricter."""
    soap = chance.random() < 0.3
    whole = xml_verdict(document, len(document) or 1, soap)
    assert xml_verdict(document, chance.randint(1, 20), soap) == whole
    if whole is not None:
        try:
            root = parse_tree(whole)
        except XmlRefused:
            return
        assert root.getroottree().docinfo.internalDTD is None


def check_json(document: bytes) -> None:
    """A value that is accepted has a place for each of its parts."""
    try:
        value = parse_json(document, JSON_LIMITS)
    except RepeatedName:
        assert repeated_name(document.decode())
        return
    except JsonRefused:
        return
    text = document.decode()
    for path in ((), (0,), ("a",), ("a", 0), ("b", "c"), (1, 0, 0)):
        line, column = place_of(text, path)
        assert 1 <= line <= text.count("\n") + 1
        assert 1 <= column <= len(text) + 1
    assert value is None or isinstance(value, bool | int | float | str | list | dict)


def check_fields(field: bytes) -> None:
    """Nothing raises."""
    content_type(field)
    text = field.decode("latin-1")
    for kinds in KINDS:
        for explode in (True, False):
            for style in ("matrix", "label", "simple"):
                from_path("color", text, Style(style, explode), kinds)
            for style in ("form", "spaceDelimited", "pipeDelimited", "deepObject"):
                from_query("color", query_pairs(text), Style(style, explode), kinds)
            from_header(text, Style("simple", explode), kinds)


def fuzz(iterations: int, seed: int) -> None:
    """Check `iterations` mutations; the same seed tries the same ones."""
    chance = Random(seed)
    for _ in range(iterations):
        xml, json, field = (mutated(chance.choice(seeds), chance) for seeds in (DOCUMENTS, JSON, FIELDS))
        try:
            check_xml(xml, chance)
            check_json(json)
            check_fields(field)
        except Exception:
            print(f"seed {seed}: {xml!r} {json!r} {field!r}", file=sys.stderr)
            raise


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    fuzz(numbers[0] if numbers else 1_000_000, numbers[1] if numbers[1:] else 0)
