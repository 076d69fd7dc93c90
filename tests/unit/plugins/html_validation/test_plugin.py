from __future__ import annotations

import gzip
from typing import Any

import pytest
from adc_plugins.html_validation.plugin import HtmlValidation

from adc.plugin import JobFailed
from adc.plugin.testkit import OptionErrors, Outcome, Trial, answer, request

VALID = "<!DOCTYPE html><html lang=en><head><title>t</title></head><body><p>text</p></body></html>"
INVALID = "<!DOCTYPE html>\n<title>t</title>\n<p a=1 a=2>x\0</p></i>"


def run(
    body: str | bytes, options: dict[str, Any] | None = None, content_type: str = "text/html", **fields: str
) -> Outcome:
    content = body.encode() if isinstance(body, str) else body
    headers = {
        "Content-Type": content_type,
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    return Trial(HtmlValidation, options).run(request(target="/page"), answer(headers=headers, body=content))


def field(outcome: Outcome) -> bytes | None:
    return outcome.response.headers.get(b"x-html-validation")


def test_valid_document_passes_with_a_field() -> None:
    outcome = run(VALID)
    assert (outcome.body.decode(), field(outcome), outcome.messages) == (VALID, b"errors=0", [])


def test_errors_are_reported_in_a_field_and_one_event() -> None:
    outcome = run(INVALID)
    assert outcome.body.decode() == INVALID
    assert field(outcome) == b'errors=3; first="3:9 duplicate-attribute"'
    assert [message["first"] for message in outcome.messages] == [
        "3:9 duplicate-attribute, 3:13 unexpected-null-character, 3:18 unexpected-end-tag"
    ]
    assert (outcome.messages[0]["path"], outcome.messages[0]["errors"]) == ("/page", 3)


def test_field_of_the_member_is_replaced() -> None:
    outcome = run(VALID, X_HTML_Validation="errors=9")
    assert outcome.response.headers.get_all(b"x-html-validation") == [b"errors=0"]


def test_logged_errors_are_bounded_and_all_are_counted() -> None:
    outcome = run("<!DOCTYPE html>" + "</b>" * 1000, {"max_errors": 2})
    assert field(outcome) == b'errors=1000; first="1:16 unexpected-end-tag"'
    assert outcome.messages[0]["first"] == "1:16 unexpected-end-tag, 1:20 unexpected-end-tag"


def test_ignored_errors_do_not_count() -> None:
    outcome = run(INVALID, {"ignore": ["duplicate-attribute", "unexpected-end-tag"]})
    assert field(outcome) == b'errors=1; first="3:13 unexpected-null-character"'


@pytest.mark.parametrize("content_type", ["text/plain", "application/xhtml+xml", "image/png"])
def test_other_media_types_are_not_checked(content_type: str) -> None:
    outcome = run(INVALID, {"on_invalid": "reject"}, content_type)
    assert (outcome.response.status, field(outcome)) == (200, None)


def test_parts_are_not_checked() -> None:
    head = answer(206, {"Content-Type": "text/html", "Content-Range": "bytes 0-3/9"}, b"</i>")
    assert field(Trial(HtmlValidation, {"on_invalid": "reject"}).run(request(), head)) is None


def test_compressed_document_is_checked_and_sent_as_it_came() -> None:
    packed = gzip.compress(INVALID.encode())
    outcome = run(packed, Content_Encoding="gzip", ETag='"1"')
    assert (outcome.body, field(outcome)) == (packed, b'errors=3; first="3:9 duplicate-attribute"')
    assert outcome.response.headers.get(b"etag") == b'"1"'


def test_unknown_coding_is_reported_as_incomplete() -> None:
    assert field(run(b"abc", Content_Encoding="unknown")) == b"errors=0; incomplete"


def test_reject_answers_an_invalid_document_with_502() -> None:
    outcome = run(INVALID, {"on_invalid": "reject"})
    assert (outcome.response.status, INVALID.encode() in outcome.body) == (502, False)
    assert outcome.messages[0]["outcome"] == "rejected"


def test_reject_passes_a_valid_document() -> None:
    assert run(VALID, {"on_invalid": "reject"}).response.status == 200


@pytest.mark.parametrize(("policy", "status"), [("pass", 200), ("reject", 502)])
def test_document_over_the_size_follows_the_policy(policy: str, status: int) -> None:
    options = {"on_invalid": "reject", "max_size": "64B", "on_incomplete": policy}
    outcome = run(VALID, options)
    assert outcome.response.status == status
    if status == 200:
        assert (outcome.body.decode(), field(outcome)) == (VALID, b"errors=0; incomplete")


def test_beginning_of_a_large_document_is_checked() -> None:
    outcome = run("<!DOCTYPE html></b>" + VALID[15:], {"on_invalid": "reject", "max_size": "64B"})
    assert outcome.response.status == 502


def test_document_over_the_time_is_incomplete() -> None:
    outcome = run("<!DOCTYPE html>" + "<p>" * 5000, {"max_time": "0"})
    assert field(outcome) == b"errors=0; incomplete"


def test_document_that_nests_too_deep_is_incomplete() -> None:
    outcome = run("<!DOCTYPE html>" + "<div>" * 5000)
    assert field(outcome) == b"errors=0; incomplete"


def test_repair_writes_the_tree() -> None:
    outcome = run(INVALID, {"on_invalid": "repair"}, ETag='"1"')
    expected = '<!DOCTYPE html><html><head><title>t</title>\n</head><body><p a="1">x</p></body></html>'
    assert outcome.body.decode() == expected
    assert field(outcome) == b'errors=3; first="3:9 duplicate-attribute"; repaired'
    assert outcome.response.headers.get(b"etag") == b'W/"1"'


def test_repair_leaves_a_valid_document_byte_for_byte() -> None:
    outcome = run(VALID, {"on_invalid": "repair"})
    assert (outcome.body.decode(), field(outcome)) == (VALID, b"errors=0")


def test_repair_leaves_what_no_text_is_read_as() -> None:
    broken = "<!DOCTYPE html><a href=1><table><a href=2>x</table>"
    outcome = run(broken, {"on_invalid": "repair"})
    assert outcome.body.decode() == broken
    assert (field(outcome) or b"").endswith(b"; unrepaired")


def test_repair_keeps_encoding_and_byte_order_mark() -> None:
    text = "<!DOCTYPE html><title>가</title><p>\u20ac&#9731;</i>나"
    made = run(
        text.encode("cp949", "xmlcharrefreplace"), {"on_invalid": "repair"}, "text/html; charset=euc-kr"
    )
    assert "<title>가</title>".encode("cp949") in made.body
    assert b"&#9731;" in made.body
    made = run(b"\xff\xfe" + text.encode("utf-16le"), {"on_invalid": "repair"})
    assert made.body.startswith(b"\xff\xfe<\0!\0")


def test_repair_respects_no_transform() -> None:
    outcome = run(INVALID, {"on_invalid": "repair"}, Cache_Control="no-transform")
    assert (outcome.body.decode(), field(outcome)) == (INVALID, None)


async def test_document_that_no_process_repairs_for_now_is_not_stored() -> None:
    async with Trial(HtmlValidation, {"on_invalid": "repair"}) as trial:
        trial.processes.full = True
        fields = {"Content-Type": "text/html", "Cache-Control": "max-age=60", "Expires": "x"}
        outcome = await trial.exchange(request(), answer(headers=fields, body=INVALID.encode()))
    assert outcome.response is not None
    assert outcome.response.headers.joined(b"cache-control") == b"no-store"
    assert b"expires" not in outcome.response.headers


@pytest.mark.parametrize(("policy", "status"), [("pass", 200), ("reject", 502)])
async def test_document_whose_repair_fails_follows_the_policy(
    policy: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*arguments: object) -> None:
        raise JobFailed("no memory")

    async with Trial(HtmlValidation, {"on_invalid": "repair", "on_incomplete": policy}) as trial:
        monkeypatch.setattr(trial.plugin._processes, "run", fail)  # type: ignore[attr-defined]
        head = answer(headers={"Content-Type": "text/html"}, body=INVALID.encode())
        outcome = await trial.exchange(request(), head)
    assert outcome.response.status == status
    if status == 200:
        assert outcome.body.decode() == INVALID


async def test_document_that_streams_is_logged_and_has_no_field() -> None:
    async with Trial(HtmlValidation, {"wait": False}) as trial:
        head = answer(headers={"Content-Type": "text/html"}, body=INVALID.encode())
        outcome = await trial.exchange(request(), head)
        await trial.settle()
        assert (outcome.body.decode(), field(outcome)) == (INVALID, None)
        assert trial.counters["invalid"] == 1


async def test_documents_and_codes_are_counted() -> None:
    async with Trial(HtmlValidation, {"on_invalid": "reject"}) as trial:
        for text in (VALID, INVALID):
            await trial.exchange(request(), answer(headers={"Content-Type": "text/html"}, body=text.encode()))
        assert trial.counters == {"checked": 2, "invalid": 1, "incomplete": 0, "repaired": 0, "rejected": 1}
        assert trial.keyed_counters["errors"]["duplicate-attribute"] == 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"wait": False, "on_invalid": "repair"}, "wait: false needs on_invalid: report, not repair"),
        ({"on_invalid": "fix"}, "'report', 'repair' or 'reject'"),
        ({"ignore": ["Bad Code"]}, "'Bad Code' is not the code of a parse error"),
        ({"default_encoding": "utf-99"}, "'utf-99' is not the label of an encoding"),
        ({"header": "A B"}, "'A B' is not a field name"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], error: str) -> None:
    with pytest.raises(OptionErrors, match=error):
        Trial(HtmlValidation, options)
