"""XML transformed by a stylesheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from adc_plugins.documents.xslt.plugin import Xslt
from adc_plugins.documents.xslt.work import transformed

from adc.plugin.testkit import OptionErrors, Outcome, Trial, answer, request
from tests.kit.xml_attacks import ATTACKS

SHEET = '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">{}</xsl:stylesheet>'
JSON_OUT = (
    '<xsl:output method="text" media-type="application/json"/>'
    '<xsl:template match="/">{"n": "<xsl:value-of select="/o/@n"/>"}</xsl:template>'
)
XML = {"Content-Type": "text/xml"}


def trial(folder: Path, sheet: str = JSON_OUT, **options: Any) -> Trial:
    (folder / "s.xsl").write_text(SHEET.replace("{}", sheet))
    return Trial(Xslt, {"stylesheet": "s.xsl", **options}, folder=folder)


def shown(made: Trial, body: bytes, fields: dict[str, str] | None = None, method: str = "GET") -> Outcome:
    return made.run(request(method), answer(headers=XML if fields is None else fields, body=body))


@pytest.mark.parametrize(
    ("sheet", "content_type", "body"),
    [
        (JSON_OUT, b"application/json", b'{"n": "1"}'),
        (
            '<xsl:template match="/"><html><p><xsl:value-of select="/o/@n"/></p></html></xsl:template>',
            b"text/html; charset=UTF-8",
            b"<html><p>1</p></html>\n",
        ),
        (
            (
                '<xsl:output encoding="euc-kr" omit-xml-declaration="yes"/>'
                '<xsl:template match="/"><r>한</r></xsl:template>'
            ),
            b"application/xml; charset=euc-kr",
            "<r>한</r>\n".encode("euc-kr"),
        ),
        (
            '<xsl:output method="text"/><xsl:template match="/">x</xsl:template>',
            b"text/plain; charset=UTF-8",
            b"x",
        ),
    ],
)
def test_output_declaration_gives_type_and_encoding(
    tmp_path: Path, sheet: str, content_type: bytes, body: bytes
) -> None:
    outcome = shown(trial(tmp_path, sheet), b'<o n="1"/>')
    assert (outcome.response.headers.get(b"content-type"), outcome.body) == (content_type, body)


def test_option_overrides_the_content_type(tmp_path: Path) -> None:
    outcome = shown(trial(tmp_path, content_type="application/hal+json"), b"<o/>")
    assert outcome.response.headers.get(b"content-type") == b"application/hal+json"


def test_legacy_document_is_read_in_its_encoding(tmp_path: Path) -> None:
    document = '<?xml version="1.0" encoding="euc-kr"?><o n="한글"/>'.encode("euc-kr")
    assert shown(trial(tmp_path), document).body.decode() == '{"n": "한글"}'


def test_parameters_are_text(tmp_path: Path) -> None:
    sheet = (
        '<xsl:output method="text"/><xsl:param name="p"/>'
        '<xsl:template match="/"><xsl:value-of select="$p"/></xsl:template>'
    )
    hostile = 'it\'s "concat(1)" /*'
    assert shown(trial(tmp_path, sheet, parameters={"p": hostile}), b"<o/>").body.decode() == hostile


@pytest.mark.parametrize(
    "fields",
    [{"Content-Type": "text/html"}, {}, {**XML, "Cache-Control": "no-transform"}],
)
def test_other_responses_pass_unchanged(tmp_path: Path, fields: dict[str, str]) -> None:
    outcome = shown(trial(tmp_path), b"<o/>", fields)
    assert outcome.body == b"<o/>"
    assert outcome.response.headers.get(b"content-type") != b"application/json"


def test_head_has_the_type_of_the_result(tmp_path: Path) -> None:
    outcome = shown(trial(tmp_path), b"", method="HEAD")
    assert outcome.response.headers.get(b"content-type") == b"application/json"


def test_request_is_transformed_for_the_member(tmp_path: Path) -> None:
    made = trial(tmp_path, on="request")
    outcome = made.run(request("POST", headers=XML), body=b'<o n="1"/>')
    assert outcome.request_body == b'{"n": "1"}'
    assert outcome.request.headers.get(b"content-type") == b"application/json"
    assert made.run(request("POST", headers=XML), body=b"<o").response.status == 400
    assert (
        made.run(request("POST", headers={"Content-Type": "text/plain"}), body=b"<o/>").request_body
        == b"<o/>"
    )


def test_response_without_a_result_is_a_failure(tmp_path: Path) -> None:
    assert shown(trial(tmp_path), b"<o").response.status == 500
    outcome = shown(trial(tmp_path, on_error="fail_open"), b"<o")
    assert (outcome.body, outcome.response.headers.get(b"content-type")) == (b"<o", b"text/xml")


def test_result_has_a_limit(tmp_path: Path) -> None:
    sheet = '<xsl:template match="/"><r><xsl:copy-of select="//i"/></r></xsl:template>'
    document = b"<o>" + b"<i/>" * 1000 + b"</o>"
    assert shown(trial(tmp_path, sheet), document).response.status == 200
    assert shown(trial(tmp_path, sheet, max_output="1KB"), document).response.status == 500


READS = (
    "document('/etc/hostname')",
    "document('file:///etc/hostname')",
    "document('http://127.0.0.1:9/x')",
    "document('s.xsl')",
)


@pytest.mark.parametrize("expression", READS)
def test_stylesheet_reads_no_document(tmp_path: Path, expression: str) -> None:
    sheet = f'<xsl:template match="/"><r><xsl:copy-of select="{expression}"/></r></xsl:template>'
    outcome = shown(trial(tmp_path, sheet), b"<o/>")
    assert outcome.response.status == 500 or outcome.body.endswith(b"<r/>\n")


def test_stylesheet_writes_no_document(tmp_path: Path) -> None:
    write = f'<exsl:document href="{tmp_path}/out" xmlns:exsl="http://exslt.org/common">x</exsl:document>'
    sheet = f'<xsl:template match="/"><o>{write}</o></xsl:template>'
    (tmp_path / "s.xsl").write_text(
        SHEET.replace("{}", sheet).replace(
            'version="1.0"', 'version="1.0" extension-element-prefixes="exsl"', 1
        )
    )
    Trial(Xslt, {"stylesheet": "s.xsl"}, folder=tmp_path).run(response=answer(headers=XML, body=b"<o/>"))
    assert not (tmp_path / "out").exists()


SMALL = [name for name, attack in ATTACKS.items() if not attack[1] and "schema location" not in name]


@pytest.mark.parametrize("name", SMALL)
def test_hostile_document_has_no_result(tmp_path: Path, name: str) -> None:
    (tmp_path / "s.xsl").write_text(SHEET.replace("{}", JSON_OUT))
    content_type, _, content = ATTACKS[name]
    charset = content_type.partition("charset=")[2].strip('"')
    if len(content) <= 1 << 20:
        limits = (1 << 20, 64, 30_000, 1 << 20, 10.0)
        result, reason = transformed(str(tmp_path / "s.xsl"), content, charset, {}, limits)
        assert (result, bool(reason)) == (b"", True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "s.xsl cannot be read"),
        ("<xsl:stylesheet", r"s.xsl:1: "),
        (SHEET.replace("{}", '\n<xsl:template match="/["/>'), r"s.xsl:2: |s.xsl: "),
        (
            SHEET.replace("{}", '<xsl:include href="http://127.0.0.1:9/x.xsl"/>'),
            "only local files|cannot|load",
        ),
        (SHEET.replace("{}", '<xsl:import href="missing.xsl"/>'), "missing.xsl"),
    ],
)
def test_unusable_stylesheet_is_an_error_of_its_option(
    tmp_path: Path, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / "s.xsl").write_text(text)
    with pytest.raises(OptionErrors, match=message) as errors:
        Trial(Xslt, {"stylesheet": "s.xsl"}, folder=tmp_path)
    assert errors.value.findings[0][0] == ("stylesheet",)


def test_version_of_stored_results_follows_every_file_of_the_stylesheet(tmp_path: Path) -> None:
    def version(part: str) -> str:
        (tmp_path / "part one.xsl").write_text(SHEET.replace("{}", part))
        plugin: Xslt = trial(tmp_path, '<xsl:include href="part%20one.xsl"/>' + JSON_OUT).plugin
        return plugin.cache_version

    first = version("<!-- 1 -->")
    assert first
    assert version("<!-- 1 -->") == first
    assert version("<!-- 2 -->") != first
