"""XSD, RELAX NG and Schematron files of a route."""

from __future__ import annotations

from pathlib import Path

import pytest
from adc_plugins.documents.xml.plugin import XmlValidation

from adc.plugin.testkit import OptionErrors, Trial, request

XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{}</xs:schema>'
ORDER = (
    '<xs:element name="order"><xs:complexType><xs:attribute name="n" type="xs:int" use="required"/>'
    "</xs:complexType></xs:element>"
)
RNG = (
    '<element name="order" xmlns="http://relaxng.org/ns/structure/1.0" '
    'datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">'
    '<attribute name="n"><data type="int"/></attribute></element>'
)
SCHEMATRON = (
    '<schema xmlns="http://purl.oclc.org/dsdl/schematron"><pattern><rule context="order">'
    '<assert test="@n &gt; 0">n must be positive</assert></rule></pattern></schema>'
)
FILES = {
    "order.xsd": XSD.format(ORDER),
    "outer.xsd": XSD.format('<xs:include schemaLocation="order.xsd"/>'),
    "order.rng": RNG,
    "order.rnc": "element order { attribute n { xsd:int } }",
    "order.sch": SCHEMATRON,
    "slow.xsd": XSD.format(
        '<xs:element name="order"><xs:simpleType><xs:restriction base="xs:string">'
        '<xs:pattern value="(a|aa|a?a)+b"/></xs:restriction></xs:simpleType></xs:element>'
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def status(folder: Path, body: bytes, **options: object) -> int:
    head = request("POST", headers={"Content-Type": "application/xml"})
    return Trial(XmlValidation, options, folder=folder).run(head, body=body).response.status


@pytest.mark.parametrize(
    ("option", "file"),
    [
        ("schema", "order.xsd"),
        ("schema", "outer.xsd"),
        ("relax_ng", "order.rng"),
        ("relax_ng", "order.rnc"),
        ("schematron", "order.sch"),
    ],
)
def test_documents_must_satisfy_the_schema(folder: Path, option: str, file: str) -> None:
    assert status(folder, b'<order n="1"/>', **{option: file}) == 200
    assert status(folder, b'<order n="0x"/>', **{option: file}) == 400


def test_several_schemas_must_all_be_satisfied(folder: Path) -> None:
    options = {"schema": "order.xsd", "schematron": "order.sch"}
    assert status(folder, b'<order n="1"/>', **options) == 200
    assert status(folder, b'<order n="0"/>', **options) == 400


def test_schema_sees_a_legacy_document_as_unicode(folder: Path) -> None:
    (folder / "name.xsd").write_text(
        XSD.format(
            '<xs:element name="name"><xs:simpleType><xs:restriction base="xs:string">'
            '<xs:maxLength value="2"/></xs:restriction></xs:simpleType></xs:element>'
        )
    )
    text = '<?xml version="1.0" encoding="euc-kr"?><name>{}</name>'
    assert status(folder, text.format("한글").encode("euc-kr"), schema="name.xsd") == 200
    assert status(folder, text.format("한글말").encode("euc-kr"), schema="name.xsd") == 400


def test_soap_payload_is_what_the_schema_describes(folder: Path) -> None:
    envelope = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        b'<s:Body><order n="%b"/></s:Body></s:Envelope>'
    )
    head = {"Content-Type": "text/xml"}
    for number, expected in ((b"1", 200), (b"x", 400)):
        trial = Trial(XmlValidation, {"schema": "order.xsd", "soap": True}, folder=folder)
        assert trial.run(request("POST", headers=head), body=envelope % number).response.status == expected


def test_pattern_that_explodes_ends_in_a_refusal(folder: Path) -> None:
    assert status(folder, b"<order>" + b"a" * 100 + b"</order>", schema="slow.xsd", budget="30s") == 400


def test_schema_of_the_document_is_never_read(folder: Path) -> None:
    (folder / "any.xsd").write_text(
        XSD.format(
            '<xs:element name="a"><xs:complexType><xs:sequence><xs:any processContents="lax"/>'
            "</xs:sequence></xs:complexType></xs:element>"
        )
    )
    (folder / "evil.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x">'
        '<xs:element name="e" type="xs:int"/></xs:schema>'
    )
    document = (
        '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema&#45;instance" '
        f'xsi:schemaLocation="urn:x {folder}/evil.xsd"><e xmlns="urn:x">no number</e></a>'
    ).encode()
    assert status(folder, document, schema="any.xsd") == 400
    assert status(folder, document, schema="any.xsd", schema_locations="ignore") == 200


@pytest.mark.parametrize(
    ("option", "name", "text", "message"),
    [
        ("schema", "missing.xsd", None, "missing.xsd cannot be read"),
        ("schema", "cut.xsd", "<xs:schema\n", r"cut.xsd:2: "),
        ("schema", "bad.xsd", XSD.format('\n<xs:element name="a" type="nope"/>'), r"bad.xsd:2: .*nope"),
        (
            "schema",
            "net.xsd",
            XSD.format('<xs:include schemaLocation="http://127.0.0.1:9/x.xsd"/>'),
            "only local files",
        ),
        ("schema", "dtd.xsd", '<!DOCTYPE x [<!ENTITY e SYSTEM "/etc/passwd">]><x>&e;</x>', "dtd.xsd"),
        ("relax_ng", "bad.rng", "<element/>", "bad.rng"),
        (
            "relax_ng",
            "net.rng",
            '<externalRef xmlns="http://relaxng.org/ns/structure/1.0" href="http://127.0.0.1:9/"/>',
            "net.rng",
        ),
        ("relax_ng", "bad.rnc", "element {", "compact syntax"),
        ("relax_ng", "missing.rnc", None, "missing.rnc cannot be read"),
        ("schematron", "bad.sch", "<x/>", "bad.sch"),
    ],
)
def test_unusable_schema_is_an_error_of_its_option(
    tmp_path: Path, option: str, name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(OptionErrors, match=message) as errors:
        Trial(XmlValidation, {option: name}, folder=tmp_path)
    assert errors.value.findings[0][0] == (option,)
