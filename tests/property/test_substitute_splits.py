"""Any split of content into chunks gives the output of the whole, and a bounded part of it waits."""

from __future__ import annotations

from adc_plugins.substitute.options import Rule
from adc_plugins.substitute.plan import Plan
from adc_plugins.substitute.stream import Stream
from hypothesis import given, settings
from hypothesis import strategies as st

from adc.plugin import Context
from adc.plugin.testkit import request

WINDOW = 8
TEXTS = st.text("aAbBc", min_size=1, max_size=4)
EXPRESSIONS = st.sampled_from(
    ["a+", "a.c", "^a", "b$", r"\ba", "[ab]{2,5}c", "a[^c]*c", r"c\b", "(?m)^b", "(?s)b.*", "(a)(b)?"]
)
PLAIN = st.builds(
    Rule, find=TEXTS, replace=st.text("xab", max_size=3), ignore_case=st.booleans(), once=st.booleans()
)
ONE_TEXT = st.builds(Rule, find=TEXTS, replace=st.text("xab$\\", max_size=3))
REGEX = st.builds(Rule, regex=EXPRESSIONS, replace=st.sampled_from(["", "x", "<>"]), once=st.booleans())
CONTENT = st.text("aAbBc \n", max_size=80).map(str.encode)


def stream(rules: list[Rule]) -> Stream:
    context = Context("substitute", "test", request(), "id", None)  # type: ignore[arg-type]
    return Plan(rules, WINDOW).stream(context, b"text/html", lambda number: None)


def whole(rules: list[Rule], content: bytes) -> bytes:
    return stream(rules).feed(content, True)


def in_chunks(rules: list[Rule], content: bytes, cuts: list[int]) -> bytes:
    made, output = stream(rules), b""
    places = sorted({min(cut, len(content)) for cut in cuts})
    for start, end in zip([0, *places], [*places, len(content)], strict=True):
        output += made.feed(content[start:end], False)
    return output + made.feed(b"", True)


@settings(max_examples=400)
@given(st.lists(PLAIN, min_size=1, max_size=7), CONTENT, st.lists(st.integers(0, 80), max_size=12))
def test_plain_rules_do_not_see_chunks(rules: list[Rule], content: bytes, cuts: list[int]) -> None:
    assert in_chunks(rules, content, cuts) == whole(rules, content)


@settings(max_examples=400)
@given(st.lists(PLAIN | REGEX, min_size=1, max_size=5), CONTENT, st.lists(st.integers(0, 80), max_size=12))
def test_expressions_do_not_see_chunks(rules: list[Rule], content: bytes, cuts: list[int]) -> None:
    assert in_chunks(rules, content, cuts) == whole(rules, content)


@settings(max_examples=400)
@given(ONE_TEXT, CONTENT, st.lists(st.integers(0, 80), max_size=12))
def test_one_text_does_not_see_chunks(rule: Rule, content: bytes, cuts: list[int]) -> None:
    assert in_chunks([rule], content, cuts) == model([rule], content)


@given(st.lists(PLAIN, min_size=1, max_size=7), CONTENT)
def test_plain_rules_do_what_a_search_at_each_place_does(rules: list[Rule], content: bytes) -> None:
    assert whole(rules, content) == model(rules, content)


@given(st.lists(PLAIN, min_size=1, max_size=4), CONTENT)
def test_less_waits_than_the_longest_text(rules: list[Rule], content: bytes) -> None:
    unchanged = [rule.model_copy(update={"replace": rule.find, "ignore_case": False}) for rule in rules]
    waiting = len(content) - len(stream(unchanged).feed(content, False))
    assert waiting < max(len(rule.find or "") for rule in rules)


def model(rules: list[Rule], content: bytes) -> bytes:
    output, at, used = b"", 0, set()
    while at < len(content):
        for number, rule in enumerate(rules):
            text = (rule.find or "").encode()
            seen = content[at : at + len(text)]
            same = seen.lower() == text.lower() if rule.ignore_case else seen == text
            if same and number not in used:
                output += rule.replace.encode()
                at += len(text)
                used |= {number} if rule.once else set()
                break
        else:
            output += content[at : at + 1]
            at += 1
    return output
