"""Regular expressions of a configuration: linear, and refused with a reason that helps."""

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from adc.http import patterns
from adc.http.patterns import MOST_REPLACED, BytesPattern, Pattern, Replacement

EXPLOSIVE = [
    (r"^/(a+)+$", "/" + "a" * 60_000 + "!"),
    (r"(x+x+)+y", "x" * 60_000),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 60_000),
    (r"(.*)*(.*)*(.*)*=.*", "x" * 60_000),
    (r"\s+$", " " * 60_000 + "x"),
]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("pattern", "text"), EXPLOSIVE)
def test_an_expression_that_backtracking_never_finishes_is_answered_at_once(pattern, text):
    assert not Pattern(pattern).found_in(text) or pattern.startswith("(.*")
    BytesPattern(pattern).found_in(text.encode())


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"a(?=b)", r"lookahead \(\(\?=\) is not supported"),
        (r"(?!b)", "lookahead"),
        (r"(?<=a)b", "lookbehind"),
        (r"(a)\1", r"a backreference \(\\1\) is not supported"),
        (r"(?P<n>a)(?P=n)", "a backreference"),
        (r"a++", "a possessive quantifier"),
        (r"(?>a)", "an atomic group"),
        (r"(", r"missing \)"),
        (r"[[a", r"missing \]"),
        (r"*a", "no argument for repetition operator"),
        (r"(?x) a", r"the flag x \(\(\?x\) is not supported"),
        (r"(?#c)a", "a comment"),
        (r"a{1001}", "invalid repetition size"),
        (r"((a{100}){100}){100}", "too large|invalid repetition size"),
        (r"(.{0,300}[ab].{0,300}){3}z", "too large"),
    ],
)
def test_expression_that_cannot_be_linear_is_rejected_with_its_reason(pattern, reason):
    for kind in (Pattern, BytesPattern, lambda text: Replacement(text, "")):
        with pytest.raises(ValueError, match=reason):
            kind(pattern)


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"^/v[0-9]+/", "/v12/x", True),
        (r"(?i)ADMIN", "/admin", True),
        (r"\.php\Z", "/a.php", True),
        (r"\\Z", r"a\Z", True),
        (r"^(?P<x>a)(?<y>b)$", "ab", True),
        (r"^a$", "a\n", False),
        (r"^.$", "é", True),
        (r"é", "café", True),
        (r"\d", "٣", False),
        ("", "", True),
    ],
)
def test_an_expression_is_searched_anywhere(pattern, text, found):
    assert Pattern(pattern).found_in(text) is found


def test_bytes_of_no_encoding_are_searched():
    assert BytesPattern("ok|é").found_in(b"\xff\x00ok")
    assert BytesPattern("é").found_in("é".encode())
    assert BytesPattern("^.$").found_in(b"\xff")


@pytest.mark.parametrize(
    ("pattern", "template", "text", "made"),
    [
        ("^/a", "", "/a/a", "/a"),
        (r"^/(\w+)/(\w+)", r"/\2/\1", "/a/b", "/b/a"),
        (r"(?P<first>a)(b)?", r"<\g<first>\g<2>\g<0>>", "ab-a", "<abab>-<aa>"),
        ("x*", "-", "abxd", "-a-b--d-"),
        ("a", r"\\", "a", "\\"),
        ("é", "e", "café", "cafe"),
    ],
)
def test_every_occurrence_is_replaced_as_by_python(pattern, template, text, made):
    assert Replacement(pattern, template).apply(text) == made
    assert re.sub(pattern, template, text) == made


@pytest.mark.parametrize(
    ("template", "reason"),
    [(r"\2", "no group"), (r"\g<x>", "no group"), (r"\q", "unknown escape"), ("\\", "unknown escape")],
)
def test_a_template_that_names_nothing_is_refused(template, reason):
    with pytest.raises(ValueError, match=reason):
        Replacement("(a)", template)


def test_replacements_are_bounded():
    replacement = Replacement("a.*b|a", "c")
    assert replacement.apply("a" * MOST_REPLACED) == "c" * MOST_REPLACED
    with pytest.raises(ValueError, match="occurrences"):
        replacement.apply("a" * (MOST_REPLACED + 1))


ATOMS = st.sampled_from(
    ["a", "b", "/", ".", "[ab]", "[^a]", "^", "$", "(a|b)", "a*", "b+?", "(ab)?", "a{1,2}"]
)


@given(st.lists(ATOMS, max_size=6).map("".join), st.text("ab/", max_size=12))
def test_ordinary_expressions_mean_what_they_mean_in_python(pattern, text):
    assert Pattern(pattern).found_in(text) is (re.search(pattern, text) is not None)


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_a_value_error(text):
    try:
        Pattern(text).found_in(text)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^a{,3}$", "aa"),
        (r"^a{,3}$", "aaaa"),
        (r"^a{,3}$", "a{,3}"),
        (r"^a\{,3}$", "a{,3}"),
        (r"^[{,3}]+$", "{,3}"),
        (r"^[]{,3}]+$", "]{,3}"),
        (r"^[^]{,3}]+$", "{,3}"),
        (r"^[\]{,3}]{,2}$", "]{"),
        (r"a\Z", "a\n"),
    ],
)
def test_repetition_without_a_least_number_means_what_it_means_in_python(pattern, text):
    assert Pattern(pattern).found_in(text) == bool(re.search(pattern, text))


def test_an_expression_is_compiled_once_however_often_it_is_loaded(monkeypatch):
    compiled = []
    compile_ = re2.compile
    monkeypatch.setattr(re2, "compile", lambda *args: compiled.append(args) or compile_(*args))
    for _ in range(3):
        assert Pattern("^/of-a-route-[0-9]+").found_in("/of-a-route-7")
        assert BytesPattern("^/of-a-route-[0-9]+").found_in(b"/of-a-route-7")
    assert len(compiled) == 2  # the second reads bytes


def test_cache_of_compiled_expressions_is_bounded():
    for number in range(300):
        Pattern(f"(a{number}|b){{100}}")
    assert patterns._kept.currsize <= patterns._KEPT_STEPS
