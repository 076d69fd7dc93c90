"""Transformations and operators beside those of libmodsecurity 3, on the same values."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from adc_plugins.waf.operators import compile_operator
from adc_plugins.waf.seclang.model import OperatorCall, Place
from adc_plugins.waf.transformations import TRANSFORMATIONS
from adc_plugins.waf.transformations.best_fit import BEST_FIT

from tests.kit.value_pieces import value

libmodsecurity = pytest.importorskip(
    "libmodsecurity", reason="libmodsecurity, a development dependency, is absent"
)

VALUES = 400
NAMES = sorted({transformation.name for transformation in TRANSFORMATIONS.values()})
DIFFERENT = {
    # There an entity whose name begins with a known one loses the rest of its name; here it stays, as in version 2.
    "htmlEntityDecode": re.compile(rb"&(?:quot|amp|lt|gt|nbsp)[0-9a-z]", re.IGNORECASE),
    # There a last digit alone empties the result if it is a 9 or if padding follows.
    "base64DecodeExt": re.compile(rb"=|9"),
}
OPERATORS = (
    *(
        "beginsWith a",
        "contains a.b",
        "containsWord or",
        "endsWith /",
        "within a /../ union select 0x41",
        "streq a",
    ),
    *(
        "eq 0",
        "ge 7",
        "gt 7",
        "le 7",
        "lt 7",
        "pm union select %u",
        "strmatch --",
        "validateByteRange 32-126,9",
    ),
    *(
        "validateUrlEncoding",
        "validateUtf8Encoding",
        "detectSQLi",
        "detectXSS",
        "unconditionalMatch",
        "noMatch",
    ),
    *(
        r"rx [a-c]+[\./]",
        r"rx (?i)SELECT.or",
        r"rx \x{00}|[\s\v]{2}|\xc3.",
        r"rx \b(?:a|union)\b",
        "rx [^a-z]$",
    ),
)
MULTILINE = ("rx [^a-z]$",)
"""libmodsecurity matches `^` and `$` at every line, version 2 and this engine at the ends of the value."""

Judge = Callable[[bytes], dict[int, str]]


def judge_of(rules: str) -> Judge:
    """Return a function from the value of ARGS:x to the log data of the rules that matched."""
    matched: dict[int, str] = {}
    engine = libmodsecurity.ModSecurity()
    engine.set_rule_message_callback(lambda message: matched.__setitem__(message.rule_id, message.data))
    loaded = libmodsecurity.RulesSet()
    assert loaded.load(f"SecRuleEngine On\nSecRequestBodyAccess On\n{rules}") >= 0, loaded.get_parser_error()

    def judge(text: bytes) -> dict[int, str]:
        matched.clear()
        body = b"x=" + b"".join(b"%%%02x" % byte for byte in text)
        transaction = libmodsecurity.Transaction(engine, loaded)
        transaction.process_connection("127.0.0.1", 1, "127.0.0.1", 80)
        transaction.process_uri("/", "POST", "1.1")
        transaction.add_request_header("Content-Type", "application/x-www-form-urlencoded")
        transaction.add_request_header("Content-Length", str(len(body)))
        transaction.process_request_headers()
        transaction.append_request_body(body)
        transaction.process_request_body()
        return dict(matched)

    return judge


def rule(number: int, operator: str, actions: str) -> str:
    quoted = operator.replace(chr(34), '\\"')
    return f'SecRule ARGS:x "{quoted}" "id:{number},phase:2,pass,log,t:none,{actions}"\n'


def test_transformed_values_are_those_of_libmodsecurity(tmp_path: Path) -> None:
    mapping = tmp_path / "unicode.mapping"
    pairs = " ".join(f"{code:04x}:{byte:02x}" for code, byte in BEST_FIT.items())
    mapping.write_text(f"20127 (US-ASCII)\n{pairs} \n\n")
    actions = "capture,t:{},t:hexEncode,logdata:'%{{TX.0}}'"
    rules = "".join(rule(n, "@rx ^([^!]*)$", actions.format(name)) for n, name in enumerate(NAMES, 1))
    judge = judge_of(f"SecUnicodeMapFile {mapping} 20127\n{rules}")
    chance = Random(1)
    different = []
    for text in [value(chance) for _ in range(VALUES)]:
        theirs = judge(text)
        for number, name in enumerate(NAMES, 1):
            if name in DIFFERENT and DIFFERENT[name].search(text):
                continue
            ours = TRANSFORMATIONS[name.lower()].apply(text)
            if ours.hex() != theirs[number]:
                different.append((name, text, ours, bytes.fromhex(theirs[number])))
    assert different == []


def test_operators_match_what_they_match_in_libmodsecurity() -> None:
    judge = judge_of("".join(rule(n, f"@{text}", "logdata:'x'") for n, text in enumerate(OPERATORS, 1)))
    place = Place("rules.conf", 1)
    calls = [
        OperatorCall(name.lower(), argument)
        for name, _, argument in (text.partition(" ") for text in OPERATORS)
    ]
    ours = [compile_operator(call, place, lambda name: b"") for call in calls]
    chance = Random(2)
    different = []
    for text in [value(chance) for _ in range(VALUES)]:
        theirs = judge(text)
        for number, (name, operator) in enumerate(zip(OPERATORS, ours, strict=True), 1):
            if name in MULTILINE and b"\n" in text:
                continue
            if (operator.match(text) is not None) != (number in theirs):
                different.append((name, text, number in theirs))
    assert different == []
