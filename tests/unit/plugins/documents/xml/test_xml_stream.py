"""Without a schema, requests are checked while they pass."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest
import zstandard
from adc_plugins.documents.xml.plugin import XmlValidation
from hypothesis import given
from hypothesis import strategies as st

from adc.plugin.testkit import Outcome, Trial, request
from tests.kit.xml_attacks import ATTACKS

CONFIG = Path(__file__).parents[5] / "config"
GOOD = '<?xml version="1.0"?><order><item>한글</item></order>'.encode()


def sent(chunks: list[bytes], content_type: str = "text/xml", coding: str = "", **options: object) -> Outcome:
    fields = {"Content-Type": content_type, **({"Content-Encoding": coding} if coding else {})}
    return Trial(XmlValidation, options).run(request("POST", headers=fields), body=chunks)


def split(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_request_is_not_buffered() -> None:
    plugin = Trial(XmlValidation, {"max_depth": 3}).plugin
    assert (plugin.request_body_limit, plugin.request_body_inspect) == (None, None)
    for options in ({"on_invalid": "report"}, {"schema": "schemas/order.xsd"}):
        assert Trial(XmlValidation, options, folder=CONFIG).plugin.request_body_inspect


@given(
    st.integers(1, len(GOOD)),
    st.sampled_from(["", "gzip", "zstd"]),
    st.sampled_from(["text/xml", "text/plain"]),
)
def test_valid_document_passes_however_it_is_split(size: int, coding: str, content_type: str) -> None:
    coded = {"": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}[coding](GOOD)
    assert sent(split(coded, size), content_type, coding).request_body == coded


@given(
    st.integers(1, 4000), st.sampled_from([name for name, attack in ATTACKS.items() if len(attack[2]) < 4000])
)
def test_attack_is_refused_however_it_is_split(size: int, name: str) -> None:
    content_type, fields, content = ATTACKS[name]
    outcome = sent(split(content, size), content_type, fields.get("Content-Encoding", ""))
    assert outcome.response.status in (400, 413, 415)


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if len(attack[2]) >= 4000])
def test_large_attack_is_refused_in_chunks(name: str) -> None:
    content_type, fields, content = ATTACKS[name]
    outcome = sent(split(content, 60_000), content_type, fields.get("Content-Encoding", ""))
    assert outcome.response.status in (400, 413)


def test_size_counts_what_has_passed() -> None:
    document = [b"<a>", *[b"x" * 500] * 10, b"</a>"]
    assert sent(document, max_size="6KB").response.status == 200
    assert sent(document, max_size="4KB").response.status == 400


def test_other_content_passes() -> None:
    assert sent([b"", b"a=", b"<b>"], "text/plain").request_body == b"a=<b>"
    assert sent([b"\x1f\x8bno gzip"], "text/plain", "gzip").response.status == 200
    assert sent([b"{}"], "text/plain", other_types="reject").response.status == 415


@pytest.mark.parametrize(("coding", "status"), [("deflate", 415), ("gzip, gzip", 415), ("gzip", 400)])
def test_coding_that_cannot_be_streamed_is_refused(coding: str, status: int) -> None:
    assert sent([zlib.compress(GOOD)], coding=coding).response.status == status


def test_document_that_is_cut_off_is_refused() -> None:
    assert sent([GOOD[:-3]]).response.status == 400
    assert sent([gzip.compress(GOOD)[:-10]], coding="gzip").response.status == 400
