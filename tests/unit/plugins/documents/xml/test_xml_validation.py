"""The plugin: which messages it checks, and what becomes of invalid ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from adc_plugins.documents.xml.plugin import XmlValidation
from lxml import etree

from adc.plugin.testkit import OptionErrors, Outcome, Trial, answer, request

CONFIG = Path(__file__).parents[5] / "config"
GOOD = b'<order><customer>x</customer><item sku="a" count="1"/></order>'
BAD = b'<order>\n<customer>x</customer><item sku="a" count="0"/></order>'
XML = {"Content-Type": "text/xml"}


def sent(body: bytes, fields: dict[str, str] | None = None, **options: object) -> Outcome:
    head = request("POST", "/soap/", XML if fields is None else fields)
    return Trial(XmlValidation, {"schema": "schemas/order.xsd", **options}, folder=CONFIG).run(
        head, body=body
    )


def test_valid_document_reaches_the_member_unchanged() -> None:
    outcome = sent(GOOD)
    assert (outcome.response.status, outcome.request_body) == (200, GOOD)


def test_invalid_document_gets_400_with_line_and_reason() -> None:
    outcome = sent(BAD)
    assert (outcome.response.status, outcome.request_body) == (400, None)
    assert outcome.response.headers.get(b"content-type") == b"application/problem+xml"
    problem = etree.fromstring(outcome.body)
    assert problem.findtext("{*}line") == "2"
    assert problem.find("{*}column") is None  # a schema knows lines only
    assert "count" in (problem.findtext("{*}detail") or "")


def test_client_that_accepts_json_gets_json() -> None:
    problem = json.loads(sent(BAD, {**XML, "Accept": "application/json"}).body)
    assert (problem["status"], problem["line"], problem["title"]) == (400, 2, "Invalid XML")


def test_error_page_may_take_the_place_of_the_problem() -> None:
    outcome = sent(BAD, answer="page")
    assert (outcome.response.status, outcome.body) == (400, b"")


def test_report_tells_the_member_and_the_log() -> None:
    outcome = sent(BAD, {**XML, "X-Validation": "forged"}, on_invalid="report")
    assert outcome.request_body == BAD
    [value] = outcome.request.headers.get_all(b"x-validation")
    assert value.startswith(b"invalid; part=xml; line=2")
    assert outcome.messages[0]["line"] == 2


def test_report_of_a_valid_document_is_no_field() -> None:
    outcome = sent(GOOD, {**XML, "X-Validation": "forged", "X_Validation": "forged"}, on_invalid="report")
    assert b"forged" not in [value for _, value in outcome.request.headers]


def test_text_of_the_document_stays_printable_in_the_field() -> None:
    outcome = sent('<order><"\r\n한글\x1b'.encode(), on_invalid="report")
    [value] = outcome.request.headers.get_all(b"x-validation")
    assert value.decode("ascii").isprintable()


@pytest.mark.parametrize(
    ("other", "content_type", "body", "status"),
    [
        ("sniff", "application/json", b"{}", 200),
        ("sniff", "text/plain", BAD, 400),
        ("sniff", "", BAD, 400),
        ("sniff", "", b"a=1", 200),
        ("pass", "text/plain", BAD, 200),
        ("reject", "application/json", b"{}", 415),
        ("reject", "text/xml", GOOD, 200),
        ("reject", "", GOOD, 415),
        ("sniff", "application/vnd.shop+xml; charset=utf-8", BAD, 400),
        ("sniff", "image/png", b"x" * (2 << 20), 200),
    ],
)
def test_content_type_decides_what_is_checked(
    other: str, content_type: str, body: bytes, status: int
) -> None:
    fields = {"Content-Type": content_type} if content_type else {}
    assert sent(body, fields, other_types=other).response.status == status


ORDER = {"schema": "schemas/order.xsd"}


@pytest.mark.parametrize(
    ("options", "method", "fields", "status"),
    [
        (ORDER, "POST", XML, 400),
        (ORDER, "PUT", XML, 400),
        ({"soap": True}, "POST", XML, 400),
        ({"soap": True, **ORDER}, "QUERY", XML, 400),
        ({}, "POST", XML, 200),
        (ORDER, "GET", XML, 200),
        (ORDER, "DELETE", XML, 200),
        (ORDER, "POST", {}, 200),
        ({**ORDER, "other_types": "reject"}, "POST", {}, 200),
        ({**ORDER, "on": "response"}, "POST", XML, 200),
        ({**ORDER, "on_invalid": "report"}, "POST", XML, 200),
    ],
)
def test_request_without_content_is_invalid_where_a_schema_needs_a_document(
    options: dict[str, object], method: str, fields: dict[str, str], status: int
) -> None:
    head = request(method, "/soap/", fields, body_length=0)
    outcome = Trial(XmlValidation, options, folder=CONFIG).run(head, body=b"")
    assert outcome.response.status == status
    assert (b"content is required" in outcome.body) is (status == 400)


def test_soap_request_in_chunks_has_content() -> None:
    envelope = (
        b"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><a/></e:Body></e:Envelope>"
    )
    trial = Trial(XmlValidation, {"soap": True}, folder=CONFIG)
    outcome = trial.run(request("POST", "/soap/", XML), body=[envelope[:30], envelope[30:], b""])
    assert outcome.response.status == 200


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress)])
def test_coded_content_is_checked_decoded_and_forwarded_coded(coding: str, compress) -> None:  # type: ignore[no-untyped-def]
    fields = {**XML, "Content-Encoding": coding}
    assert sent(compress(GOOD), fields).request_body == compress(GOOD)
    assert sent(compress(BAD), fields).response.status == 400


def test_document_over_the_limit_gets_413() -> None:
    body = GOOD.replace(b"x", b"x" * 2000)
    assert sent(body, max_size="1KB").response.status == 413
    assert (
        sent(gzip.compress(body), {**XML, "Content-Encoding": "gzip"}, max_size="1KB").response.status == 413
    )


def test_document_over_the_limit_passes_where_it_is_reported() -> None:
    body = GOOD.replace(b"x", b"x" * 2000)
    outcome = sent(body, max_size="1KB", on_invalid="report")
    assert outcome.request_body == body
    assert b"more than 1024 bytes" in (outcome.request.headers.get(b"x-validation") or b"")


def response_of(body: bytes, fields: dict[str, str] | None = None, **options: object) -> Outcome:
    trial = Trial(XmlValidation, {"schema": "schemas/order.xsd", **options}, folder=CONFIG)
    return trial.run(
        request(headers={"Range": "bytes=0-1"}), answer(headers=XML if fields is None else fields, body=body)
    )


def test_invalid_response_becomes_502_without_its_content() -> None:
    outcome = response_of(BAD, on="both")
    assert (outcome.response.status, outcome.body) == (502, b"")
    assert outcome.messages[0]["line"] == 2


def test_valid_response_passes() -> None:
    outcome = response_of(GOOD, on="response")
    assert (outcome.response.status, outcome.body) == (200, GOOD)
    assert b"range" not in outcome.request.headers


def test_reported_response_passes_and_is_logged() -> None:
    outcome = response_of(BAD, on="response", on_invalid="report")
    assert (outcome.response.status, outcome.body, len(outcome.messages)) == (200, BAD, 1)


def test_responses_of_other_types_pass() -> None:
    assert (
        response_of(BAD, {"Content-Type": "text/html"}, on="both", other_types="reject").response.status
        == 200
    )


def test_only_the_chosen_messages_are_checked() -> None:
    assert response_of(BAD, on="request").response.status == 200
    assert sent(BAD, on="response").response.status == 200


def test_documents_are_counted() -> None:
    trial = Trial(XmlValidation, {"schema": "schemas/order.xsd"}, folder=CONFIG)
    trial.run(request("POST", headers=XML), body=BAD)
    assert trial.counters == {"checked": 1, "invalid": 1}


def test_unknown_encoding_in_the_options_is_an_error() -> None:
    with pytest.raises(OptionErrors, match="'utf-7' is not an encoding that can be allowed; use"):
        Trial(XmlValidation, {"encodings": ["utf-7"]})


def test_repeated_content_type_is_refused() -> None:
    head = request("POST", headers=[("Content-Type", "text/plain"), ("Content-Type", "text/xml")])
    for options in ({"other_types": "pass"}, {"other_types": "pass", "schema": "schemas/order.xsd"}):
        assert Trial(XmlValidation, options, folder=CONFIG).run(head, body=b"plain").response.status == 415
