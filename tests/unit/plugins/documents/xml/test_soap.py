"""SOAP envelopes: structure, version, operation and action."""

from __future__ import annotations

import pytest
from adc_plugins.documents.xml.plugin import XmlValidation
from lxml import etree

from adc.plugin.testkit import OptionErrors, Outcome, Trial, answer, request

ENVELOPE = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
TYPES = {"1.1": "text/xml", "1.2": "application/soap+xml"}
SHOP = {"operations": ["GetPrice", {"name": "{urn:shop}Buy", "action": "urn:shop/buy"}]}


def envelope(
    body: str = '<GetPrice xmlns="urn:shop"/>', version: str = "1.1", header: str = "", after: str = ""
) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE[version]}">{header}<s:Body>{body}</s:Body>{after}</s:Envelope>'
    ).encode()


def called(body: bytes, soap: object = True, content_type: str = "text/xml", **fields: str) -> Outcome:
    head = request("POST", "/soap/", {"Content-Type": content_type, **fields})
    return Trial(XmlValidation, {"soap": soap}).run(head, body=body)


def status(body: bytes, soap: object = True, content_type: str = "text/xml", **fields: str) -> int:
    return called(body, soap, content_type, **fields).response.status


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_envelope_of_each_version_passes_with_its_content_type(version: str) -> None:
    assert status(envelope(version=version), content_type=TYPES[version]) == 200
    other = {"1.1": "1.2", "1.2": "1.1"}[version]
    assert status(envelope(version=version), content_type=TYPES[other]) == 400
    assert status(envelope(version=version), {"versions": [float(other)]}, TYPES[version]) == 400


@pytest.mark.parametrize(
    "document",
    [
        b"<order/>",
        b'<Envelope xmlns="urn:other"><Body/></Envelope>',
        envelope(after="<extra/>"),
        envelope(after=f'<s:Header xmlns:s="{ENVELOPE["1.1"]}"/>'),
        envelope(header="<s:Header/><s:Header/>"),
        envelope(after="<s:Body/>"),
        envelope(header="<extra/>"),
        envelope(body="<a/><b/>"),
        f'<s:Envelope xmlns:s="{ENVELOPE["1.1"]}"><s:Header/></s:Envelope>'.encode(),
        b"<?evil x?>" + envelope(),
        envelope(body="<?evil x?><GetPrice/>"),
    ],
)
def test_other_structures_are_refused(document: bytes) -> None:
    assert status(document) == 400


def test_header_before_the_body_passes() -> None:
    assert status(envelope(header="<s:Header><t/><u/></s:Header>")) == 200


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        ('<GetPrice xmlns="urn:shop"/>', True),
        ('<GetPrice xmlns="urn:any"/>', True),
        ('<Buy xmlns="urn:shop"/>', True),
        ('<Buy xmlns="urn:any"/>', False),
        ("<DropAll/>", False),
        ("", False),
    ],
)
def test_only_listed_operations_pass(body: str, allowed: bool) -> None:
    assert (status(envelope(body), SHOP) == 200) is allowed


@pytest.mark.parametrize(
    ("body", "action", "agrees"),
    [
        ("<GetPrice/>", '"urn:shop#GetPrice"', True),
        ("<GetPrice/>", "http://shop.example/GetPrice", True),
        ("<GetPrice/>", '""', True),
        ("<GetPrice/>", '"urn:shop#DropAll"', False),
        ('<Buy xmlns="urn:shop"/>', '"urn:shop/buy"', True),
        ('<Buy xmlns="urn:shop"/>', '"urn:shop/Buy"', False),
    ],
)
def test_action_of_soap_1_1_agrees_with_the_operation(body: str, action: str, agrees: bool) -> None:
    assert (status(envelope(body), SHOP, SOAPAction=action) == 200) is agrees
    assert status(envelope(body), {**SHOP, "action": "ignore"}, SOAPAction=action) == 200


def test_action_of_soap_1_2_is_a_parameter_of_the_content_type() -> None:
    for action, expected in (("urn:shop#GetPrice", 200), ("urn:shop#Other", 400)):
        kind = f'application/soap+xml; charset=utf-8; action="{action}"'
        assert status(envelope(version="1.2"), SHOP, kind) == expected


def test_repeated_action_does_not_agree() -> None:
    fields = [("Content-Type", "text/xml"), ("SOAPAction", '"GetPrice"'), ("SOAPAction", '"DropAll"')]
    outcome = Trial(XmlValidation, {"soap": SHOP}).run(request("POST", headers=fields), body=envelope())
    assert outcome.response.status == 400


def test_action_may_be_required() -> None:
    assert status(envelope(), {"action": "require"}) == 400
    assert status(envelope(), {"action": "require"}, SOAPAction='"GetPrice"') == 200


def test_responses_may_be_faults_and_any_operation() -> None:
    trial = Trial(XmlValidation, {"soap": SHOP, "on": "response"})
    for body in ("<s:Fault/>", "<GetPriceResponse/>"):
        assert (
            trial.run(
                response=answer(headers={"Content-Type": "text/xml"}, body=envelope(body))
            ).response.status
            == 200
        )
    assert (
        trial.run(response=answer(headers={"Content-Type": "text/xml"}, body=b"<x/>")).response.status == 502
    )


@pytest.mark.parametrize(
    ("version", "code", "text"),
    [
        ("1.1", "{*}Body/{*}Fault/faultcode", "faultstring"),
        ("1.2", "{*}Body/{*}Fault/{*}Code/{*}Value", "{*}Text"),
    ],
)
def test_refusal_is_a_fault_of_the_version(version: str, code: str, text: str) -> None:
    outcome = called(envelope("<a><b></a>", version), True, TYPES[version])
    assert outcome.response.status == 400
    assert (outcome.response.headers.get(b"content-type") or b"").startswith(TYPES[version].encode())
    fault = etree.fromstring(outcome.body)
    assert (fault.findtext(code) or "").startswith("s:")
    assert (fault.findtext(f".//{text}") or "").startswith("line 1, column ")


def test_repeated_operation_is_an_error_of_the_options() -> None:
    with pytest.raises(OptionErrors, match="listed twice"):
        Trial(XmlValidation, {"soap": {"operations": ["A", "A"]}})
