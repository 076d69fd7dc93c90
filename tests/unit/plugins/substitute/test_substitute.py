from __future__ import annotations

import pytest
from adc_plugins.substitute.plugin import Substitute

from adc.plugin.testkit import OptionErrors, Trial, answer, request

HTML = {"Content-Type": "text/html; charset=utf-8"}


def changed(
    rules: list[dict[str, object]], *chunks: bytes, content_type: str = "text/html", **options: object
):
    trial = Trial(Substitute, {"rules": rules, **options})
    return trial.run(request(), answer(headers={"Content-Type": content_type}, body=list(chunks))).body


def test_text_is_replaced_over_chunk_borders_and_counted() -> None:
    trial = Trial(
        Substitute, {"rules": [{"find": "http://intranet/", "replace": "https://www.example.com/"}]}
    )
    outcome = trial.run(
        request(), answer(headers=HTML, body=[b"<a href='http://int", b"ranet/x'>http://intranet/"])
    )
    assert outcome.body == b"<a href='https://www.example.com/x'>https://www.example.com/"
    assert trial.counters == {"replaced": 2}


def test_replacement_is_not_searched_again() -> None:
    assert changed([{"find": "a", "replace": "b"}, {"find": "b", "replace": "a"}], b"ab", b"ba") == b"baab"


def test_first_rule_in_the_list_wins_at_one_place() -> None:
    assert changed([{"find": "ab", "replace": "1"}, {"find": "abc", "replace": "2"}], b"abc") == b"1c"
    assert (
        changed([{"find": "abc", "replace": "2"}, {"find": "ab", "replace": "1"}], b"ab", b"cabx") == b"21x"
    )


def test_leftmost_match_wins() -> None:
    assert changed([{"find": "cd", "replace": "1"}, {"find": "bc", "replace": "2"}], b"abcd") == b"a2d"


def test_hundreds_of_texts_are_replaced_in_one_pass() -> None:
    rules = [{"find": f"<{number}>", "replace": f"[{number + 1}]"} for number in range(900)]
    content = b"".join(b"<%d>" % number for number in range(900))
    assert changed(rules, content) == b"".join(b"[%d]" % (number + 1) for number in range(900))


def test_ignore_case_is_for_ascii_letters() -> None:
    rules = [{"find": "Straße", "replace": "x", "ignore_case": True}]
    assert changed(rules, "STRAßE straße STRASSE".encode()) == b"x x STRASSE"


def test_once_replaces_the_first_match_of_each_response() -> None:
    rules = [{"find": "a", "replace": "1", "once": True}, {"regex": "b+", "replace": "2", "once": True}]
    assert changed(rules[:1], b"xa", b"a") == b"x1a"
    assert changed(rules, b"bb a b a") == b"2 1 b a"


def test_regex_groups_are_put_into_the_replacement() -> None:
    rules = [{"regex": r"(?i)href='(?P<path>/[a-z]*)'", "replace": r"HREF='\g<path>?\1'"}]
    assert changed(rules, b"<a HREF='/a", b"bc'>") == b"<a HREF='/abc?/abc'>"


def test_anchors_see_the_content_and_not_the_chunk() -> None:
    rules = [
        {"regex": "^b", "replace": "1"},
        {"regex": "c$", "replace": "2"},
        {"regex": r"\bd", "replace": "3"},
    ]
    assert changed(rules, b"b", b"b", b"c", b"c") == b"1bc2"
    assert (
        changed(rules, b"x" * 1024, b"d" + b"x" * 2047, b"c", window="1KB")
        == b"x" * 1024 + b"d" + b"x" * 2047 + b"2"
    )


def test_match_longer_than_the_window_is_left() -> None:
    rules = [{"regex": "a[^b]*b", "replace": "!"}]
    short, long = b"a" + b"x" * 900 + b"b", b"a" + b"x" * 3000 + b"b"
    assert changed(rules, short + b"y" * 4000 + long, window="1KB") == b"!" + b"y" * 4000 + long


def test_placeholders_are_filled_and_escaped_in_html() -> None:
    rules = [{"find": "@", "replace": "{scheme}://{host}{path} {{host}} {other}"}]
    trial = Trial(Substitute, {"rules": rules})
    head = request(target="/it's&x")
    assert trial.run(head, answer(headers=HTML, body=b"@")).body == (
        b"http://www.example.com/it&#x27;s&amp;x {host} {other}"
    )


def test_placeholder_cannot_end_a_string_of_a_script() -> None:
    trial = Trial(
        Substitute, {"rules": [{"find": "@", "replace": "{path}"}], "content_types": ["text/javascript"]}
    )
    sent = answer(headers={"Content-Type": "text/javascript"}, body=b"'@'")
    assert trial.run(request(target="/it's"), sent).body == b"'/it\\u0027s'"


@pytest.mark.parametrize(
    "fields", [{"Content-Type": "text/plain"}, {}, {**HTML, "Cache-Control": "no-transform"}]
)
def test_other_responses_stay_as_they_are(fields: dict[str, str]) -> None:
    trial = Trial(Substitute, {"rules": [{"find": "a", "replace": "b"}]})
    assert trial.run(request(), answer(headers=fields, body=b"aa")).body == b"aa"


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([{"replace": "x"}], "a rule has `find`, a text, or `regex`"),
        ([{"find": "a", "regex": "a"}], "write one of them"),
        ([{"regex": "a*"}], "can match an empty text"),
        ([{"regex": r"\b"}], "can match an empty text"),
        ([{"regex": "(?=a)"}], "lookahead"),
        ([{"regex": "a", "replace": r"\2"}], "no group"),
        ([{"find": "a" * 2001}], "at most 2000"),
        ([{"find": "a", "replacement": "b"}], "rules.0.replacement: unknown option"),
        ([], "allowed: 1 and more"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(rules: list[dict[str, object]], message: str) -> None:
    with pytest.raises(OptionErrors, match=message):
        Trial(Substitute, {"rules": rules})


def test_error_has_the_place_of_the_rule() -> None:
    with pytest.raises(OptionErrors) as caught:
        Trial(Substitute, {"rules": [{"find": "a"}, {"regex": "("}]})
    assert [place for place, _ in caught.value.findings] == [("rules", 1, "regex")]


@pytest.mark.parametrize("text", ["x" * 64 + "y", "abab", "http://intranet/"])
def test_texts_of_any_length_and_form_are_replaced(text: str) -> None:
    page = f"<{text}{text}>".encode()

    assert changed([{"find": text, "replace": "$1"}], page[:40], page[40:]) == b"<$1$1>"
