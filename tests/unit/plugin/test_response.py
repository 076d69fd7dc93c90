from __future__ import annotations

import pytest

from adc.plugin import Response


def test_text_is_sent_as_utf_8_with_its_length() -> None:
    response = Response(403, {"Content-Type": "text/plain; charset=utf-8"}, "né")
    assert response.content == b"n\xc3\xa9"
    assert response.head().body_length == 3


@pytest.mark.parametrize(("status", "reason"), [(200, "-"), (302, "-"), (400, "denied"), (503, "denied")])
def test_refusals_are_logged_as_denied(status: int, reason: str) -> None:
    assert Response(status).end_reason == reason


def test_a_plugin_may_name_the_reason() -> None:
    assert Response(429, reason="rate_limited").end_reason == "rate_limited"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nb", "a\0b", "\x7f", "한"])
def test_no_field_value_can_begin_another_line(value: str) -> None:
    with pytest.raises(ValueError, match="X-A"):
        Response(200, {"X-A": value})


@pytest.mark.parametrize(
    "name", ["", "a b", "a:", "a\r\nb", "Content-Length", "transfer-encoding", "Connection"]
)
def test_framing_and_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="field name"):
        Response(200, {name: "1"})


@pytest.mark.parametrize("status", [0, 100, 199, 600])
def test_only_final_statuses_are_allowed(status: int) -> None:
    with pytest.raises(ValueError, match="final status"):
        Response(status)


def test_a_status_without_content_has_none() -> None:
    with pytest.raises(ValueError, match="no content"):
        Response(204, body="x")


def test_an_unknown_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="known reason"):
        Response(403, reason="because")
