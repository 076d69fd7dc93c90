"""Prefilters: one of their expressions matches wherever the operator does."""

from __future__ import annotations

import random

import hyperscan
import pytest
from adc_plugins.waf.expression import PADDING, Expression
from adc_plugins.waf.operators import Operator, compile_operator
from adc_plugins.waf.operators.dialect import translate
from adc_plugins.waf.operators.prefilters import prefilter_of
from adc_plugins.waf.operators.syntax import UnknownSyntax, parse
from adc_plugins.waf.seclang.model import OperatorCall, Place
from hypothesis import given
from hypothesis import strategies as st

from tests.kit.expressions import sample

FLAGS = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_PREFILTER


def database(expressions: tuple[Expression, ...]) -> hyperscan.Database:
    built = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    built.compile(
        expressions=[expression.pattern for expression in expressions],
        ids=list(range(len(expressions))),
        flags=[FLAGS | (hyperscan.HS_FLAG_CASELESS if e.caseless else 0) for e in expressions],
    )
    return built


def found(built: hyperscan.Database, value: bytes) -> bool:
    """Return True if a scan finds the value alone, and as the first, middle and last of three."""
    return all(
        _found(built, data) for data in (value, value + b"\nz", b"z\n" + value + b"\nz", b"z\n" + value)
    )


def _found(built: hyperscan.Database, data: bytes) -> bool:
    hits: list[int] = []
    built.scan(data + PADDING, match_event_handler=lambda number, *_: hits.append(number))
    return bool(hits)


def operator(name: str, argument: str) -> Operator:
    return compile_operator(OperatorCall(name, argument), Place("rules.conf", 1), lambda name: b"")


OPERATORS = [
    ("rx", r"^[a-c]+\d{2,}$"),
    ("rx", r"(?i)\bunion\b.*?\bselect\b"),
    ("rx", r"(?:a|b(?:c|d)?)[\s\x0b]*\("),
    ("rx", r"(?i)u[\"']*n['\"]*i['\"]*o['\"]*n"),
    ("rx", r"\Aab\z|^c$|d\Z"),
    ("rx", r"[^a-z]++(?>x|xy)z"),
    ("rx", r"(?:(?:[!#][^!-/]*?){3})"),
    ("rx", r"(?:ab){2,}c(?:de){3,5}"),
    ("rx", r"(?-i)a(?i:b)c"),
    ("rx", r"\h\v\R\N"),
    ("pm", "union select xp_"),
    ("streq", "ab"),
    ("beginswith", "ab"),
    ("endswith", "ab"),
    ("contains", "a.b"),
    ("containsword", "ab"),
    ("validatebyterange", "10,32-126"),
    ("validateurlencoding", ""),
    ("validateutf8encoding", ""),
    ("detectsqli", ""),
    ("detectxss", ""),
]
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"union",
                b"select",
                b"xp_",
                b"ab",
                b"a.b",
                b"c",
                b"d",
                b"x",
                b"y",
                b"z",
                b"(",
                b"\n",
                b"\v",
                b" ",
            ]
        )
        | st.sampled_from(
            [
                b"'",
                b'"',
                b"%",
                b"%4",
                b"%41",
                b"<",
                b"=",
                b"or",
                b"1",
                b"--",
                b"\xc3",
                b"\xa0",
                b"!",
                b"/",
                b"-",
            ]
        ),
        st.binary(max_size=3),
    ),
    max_size=8,
).map(b"".join)


@pytest.mark.parametrize(("name", "argument"), OPERATORS)
def test_prefilter_matches_where_the_operator_does(name: str, argument: str) -> None:
    if name.startswith("detect"):
        pytest.importorskip("libinjection")
    compiled = operator(name, argument)
    assert compiled.prefilter is not None
    built = database(compiled.prefilter)

    @given(TEXTS)
    def check(value: bytes) -> None:
        if compiled.match(value) is not None:
            assert found(built, value)

    check()


@pytest.mark.parametrize(("name", "argument"), [case for case in OPERATORS if case[0] == "rx"])
def test_prefilter_matches_samples_of_the_expression(name: str, argument: str) -> None:
    compiled = operator(name, argument)
    assert compiled.prefilter is not None
    built = database(compiled.prefilter)
    try:
        node = parse(translate(argument.encode(), loose=True))
    except UnknownSyntax:
        return
    chance = random.Random(1)
    samples = [sample(node, chance) for _ in range(200)]
    matched = [value for value in samples if compiled.match(value) is not None]
    assert matched
    assert [value for value in matched if not found(built, value)] == []


@pytest.mark.parametrize("pattern", ["", "a*", "^$", "^.*$", ".", r"(a)\1", "(?x) a # b", r"\b", "a(?=b)*"])
def test_expression_that_is_empty_or_everywhere_or_not_understood_has_no_prefilter(pattern: str) -> None:
    assert prefilter_of(pattern.encode()) is None


def test_argument_with_a_newline_has_no_prefilter() -> None:
    """A text with a newline could lie across two of the values that are scanned together."""
    assert operator("streq", "a\nb").prefilter is None


def test_operator_that_matches_nothing_has_an_empty_prefilter() -> None:
    assert operator("nomatch", "").prefilter == ()
