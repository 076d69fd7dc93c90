"""Operators: what they match and what they capture."""

from __future__ import annotations

import pytest
from adc_plugins.waf.operators import LimitReached, Operator, compile_operator
from adc_plugins.waf.seclang.model import OperatorCall, Place, SecLangError

PLACE = Place("rules.conf", 7)
FILES = {
    "words": b"# comment\n\nUnion Select\r\n  xp_cmdshell\n",
    "more": b"sleep(\n",
    "networks": b"# office\n192.0.2.0/24\n2001:db8::/32 # lab\n",
}


def operator(name: str, argument: str = "") -> Operator:
    return compile_operator(OperatorCall(name, argument), PLACE, FILES.__getitem__)


MATCHES = [
    ("rx", "(a)(x)?(b+)", b"_abb", (b"abb", b"a", b"", b"bb")),
    ("rx", r"^a\sb$", b"a\vb", (b"a\vb",)),
    ("rx", r"a.b", b"a\nb", (b"a\nb",)),
    ("rx", r"(?i)\x{e9}[\x{00}-\x{ff}]", b"\xe9\xff", (b"\xe9\xff",)),
    ("rx", r"(\w)\1", b"abb", (b"bb", b"b")),
    ("rx", r"a(?!b)", b"abac", (b"a",)),
    ("rx", r"[^/]++/", b"ab/", (b"ab/",)),
    ("rx", "()" * 12, b"a", (b"",) * 10),
    ("rx", r"\h\R", b"\xa0\r\n", (b"\xa0\r\n",)),
    ("rxglobal", "b", b"abab", (b"b",)),
    ("pm", "select Union", b"a UNION b", (b"UNION",)),
    ("pm", "a|20 42|c x", b"_a bC", (b"a",)),
    ("pm", "|3c 3F|php", b"<?PHP", (b"<?PHP",)),
    ("pmfromfile", "words more", b"x SLEEP(1)", (b"SLEEP(",)),
    ("pmf", "words", b"union select", (b"union select",)),
    ("pm", "", b"a", None),
    ("streq", "a", b"a", (b"a",)),
    ("streq", "a", b"A", None),
    ("beginswith", "ab", b"abc", (b"ab",)),
    ("beginswith", "ab", b"aab", None),
    ("endswith", "bc", b"abc", (b"bc",)),
    ("endswith", "bc", b"bcd", None),
    ("contains", "b", b"abc", (b"b",)),
    ("contains", "", b"abc", (b"",)),
    ("strmatch", "B", b"abc", None),
    ("containsword", "sel", b"select sel1", (b"sel",)),
    ("containsword", "sel", b"selects asel", None),
    ("within", "GET,POST", b"POST", (b"POST",)),
    ("within", "GET,POST", b"PUT", None),
    ("eq", "0", b"abc", (b"abc",)),
    ("eq", "5", b" 5x", (b" 5x",)),
    ("gt", "5", b"99999999999999999999999", (b"99999999999999999999999",)),
    ("ge", "5", b"5", (b"5",)),
    ("lt", "-1", b"-2", (b"-2",)),
    ("le", "1", b"2", None),
    ("ipmatch", "10.0.0.0/8, ::1", b"10.1.2.3", (b"10.1.2.3",)),
    ("ipmatch", "10.0.0.0/8,::1", b"::1", (b"::1",)),
    ("ipmatch", "10.0.0.0/8", b"11.0.0.1", None),
    ("ipmatch", "0.0.0.0/0", b"name", None),
    ("ipmatchfromfile", "networks", b"192.0.2.9", (b"192.0.2.9",)),
    ("ipmatchf", "networks", b"2001:db8::7", (b"2001:db8::7",)),
    ("validatebyterange", "32-126, 10", b"ab\x01", (b"\x01",)),
    ("validatebyterange", "32-126,10", b"ab\n", None),
    ("validateurlencoding", "", b"%41%4g", (b"%4g",)),
    ("validateurlencoding", "", b"%41%", (b"%",)),
    ("validateurlencoding", "", b"%41", None),
    ("validateutf8encoding", "", b"a\xc0\xaf", (b"\xc0",)),
    ("validateutf8encoding", "", "é".encode(), None),
    ("verifycc", r"\d{13,16}", b"x 4111111111111111 y", (b"4111111111111111",)),
    ("verifycc", r"\b\d{16}\b", b"x 4111111111111112 y", None),
    ("verifyssn", r"\d{3}-?\d{2}-?\d{4}", b"ssn 078-05-1120", (b"078-05-1120",)),
    ("verifyssn", r"\d{3}-?\d{2}-?\d{4}", b"ssn 666-05-1120", None),
    ("unconditionalmatch", "", b"", (b"",)),
    ("nomatch", "", b"", None),
]


@pytest.mark.parametrize(("name", "argument", "value", "expected"), MATCHES)
def test_operator_matches(name: str, argument: str, value: bytes, expected: tuple[bytes, ...] | None) -> None:
    assert operator(name, argument).match(value) == expected


def test_dollar_matches_only_at_the_end_of_the_value() -> None:
    assert operator("rx", "^a$").match(b"a\nb") is None
    assert operator("rx", "(?m)^b$").match(b"a\nb") == (b"b",)
    assert operator("rx", "^a$").match(b"a\n") is None


def test_injections_are_detected() -> None:
    pytest.importorskip("libinjection")
    assert operator("detectsqli").match(b"\xff1' or 1=1--") is not None
    assert operator("detectsqli").match(b"an ordinary text") is None
    assert operator("detectxss").match(b"\xff<script>alert(1)</script>") is not None
    assert operator("detectxss").match(b"an ordinary text") is None


def test_argument_with_macros_is_compiled_when_expanded() -> None:
    compiled = operator("streq", "%{tx.a}")
    assert compiled.has_macros
    assert compiled.prefilter is None
    assert compiled.for_argument(b"x").match(b"x") == (b"x",)
    assert compiled.for_argument(b"x") is compiled.for_argument(b"x")
    for number in range(1000):
        compiled.for_argument(b"%d" % number)


def test_argument_without_macros_needs_no_expansion() -> None:
    compiled = operator("streq", "a")
    assert not compiled.has_macros
    assert compiled.for_argument(b"b") is compiled


@pytest.mark.parametrize(
    ("name", "argument", "problem"),
    [
        ("geolookup", "", "@geolookup: unknown operator"),
        ("validatebyterange", "1-300", "1-300 is no range of bytes"),
        ("validatebyterange", "a", "@validatebyterange: "),
        ("ipmatch", "10.0.0.0/99", "@ipmatch: "),
    ],
)
def test_bad_argument_is_an_error_at_the_place_of_the_rule(name: str, argument: str, problem: str) -> None:
    with pytest.raises(SecLangError, match=r"^rules\.conf:7: ") as raised:
        operator(name, argument)
    assert problem in str(raised.value)


def test_bad_expression_is_found_by_a_check() -> None:
    with pytest.raises(ValueError, match="of the expression"):
        operator("rx", "a(b").check()
    operator("rx", "a(b)").check()


def test_expression_that_takes_too_long_reaches_a_limit() -> None:
    slow = operator("rx", r"(a+)+\1$")
    with pytest.raises(LimitReached):
        slow.match(b"a" * 1000 + b"!")


def test_expression_that_needs_backtracking_looks_at_the_first_32_kilobytes() -> None:
    behind = operator("rx", r"b(?=c)")
    assert behind.match(b"a" * 32_000 + b"bc" + b"a" * 32_000) == (b"b",)
    with pytest.raises(LimitReached, match="more than 32768 bytes"):
        behind.match(b"a" * 33_000 + b"bc")
