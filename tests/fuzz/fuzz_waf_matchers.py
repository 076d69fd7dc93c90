"""Mutation fuzzing of the firewall's transformations and operators.

`python -m tests.fuzz.fuzz_waf_matchers [iterations] [seed]` runs as long as you like;
`test_fuzz_waf_matchers.py` does so for a moment.
"""

from __future__ import annotations

import re
import sys
from random import Random

import hyperscan
from adc_plugins.waf.expression import PADDING, Expression
from adc_plugins.waf.operators import LimitReached, Operator, compile_operator
from adc_plugins.waf.operators.injection import AVAILABLE
from adc_plugins.waf.seclang.model import OperatorCall, Place
from adc_plugins.waf.transformations import TRANSFORMATIONS, Transformation

from tests.kit.value_pieces import PIECES, value

LONGEST_GROWTH = 6
"""No transformation makes more of a byte than `%u1f600` of four, or `%HH` of one."""
OPERATORS = (
    *(
        "pm union select %u <script",
        "contains ..",
        "beginsWith a",
        "endsWith /",
        "streq a",
        "containsWord or",
    ),
    *(
        "validateByteRange 9,10,13,32-126",
        "validateUrlEncoding",
        "validateUtf8Encoding",
        "eq 41",
        "ipMatch ::/0",
    ),
    *(
        r"rx (?i)\bunion\b.*?select",
        r"rx [;|&]\s*\w+\(",
        r"rx (a+)+\1$",
        r"rx ^(?:[^/]*/)++\.\.",
        r"rx \d{3,}|\xc3\S",
    ),
    *(
        r"verifyCC \d{13,16}",
        "within a/../b union select",
        *(("detectSQLi", "detectXSS") if AVAILABLE else ()),
    ),
)
_FLAGS = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_PREFILTER


def _compiled(text: str) -> Operator:
    name, _, argument = text.partition(" ")
    return compile_operator(OperatorCall(name.lower(), argument), Place("rules.conf", 1), lambda name: b"")


def _database(expressions: tuple[Expression, ...]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[expression.pattern for expression in expressions],
        ids=list(range(len(expressions))),
        flags=[_FLAGS | (hyperscan.HS_FLAG_CASELESS if each.caseless else 0) for each in expressions],
    )
    return database


_OPERATORS = [(text, _compiled(text)) for text in OPERATORS]
_DATABASES = {text: _database(one.prefilter) for text, one in _OPERATORS if one.prefilter}
_TRIGGERS = {
    name: re.compile(
        one.trigger.pattern, (re.IGNORECASE if one.trigger.caseless else 0) | re.DOTALL | re.MULTILINE
    )
    for name, one in TRANSFORMATIONS.items()
    if one.trigger is not None
}


def mutated(text: bytes, chance: Random) -> bytes:
    """Return `text` with one to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.randint(0, 6))
        piece = chance.choice(
            (b"", chance.choice(PIECES), bytes([chance.randrange(256)]), text[start:end] * 2)
        )
        text = text[:start] + piece + text[end:]
    return text


def check(text: bytes) -> None:
    """Check that nothing raises, grows without bound or changes without its trigger, and that prefilters hold."""
    for name, transformation in TRANSFORMATIONS.items():
        _check_transformation(name, transformation, text)
    for name, operator in _OPERATORS:
        _check_operator(name, operator, text)


def _check_transformation(name: str, transformation: Transformation, text: bytes) -> None:
    result = transformation.apply(text)
    assert len(result) <= LONGEST_GROWTH * len(text) + 32, name
    if name in _TRIGGERS and _TRIGGERS[name].search(text) is None:
        assert result.lower() == text.lower() if transformation.cases else result == text, name


def _check_operator(name: str, operator: Operator, text: bytes) -> None:
    try:
        found = operator.match(text)
    except LimitReached:
        return
    if found is None:
        return
    assert 1 <= len(found) <= 10, name
    if name in _DATABASES:
        hits: list[int] = []
        data = b"a\n" + text + PADDING
        _DATABASES[name].scan(data, match_event_handler=lambda number, *_: hits.append(number))
        assert hits, name


def fuzz(iterations: int, seed: int) -> None:
    """Check `iterations` mutations; the same seed tries the same ones."""
    chance = Random(seed)
    for _ in range(iterations):
        text = mutated(value(chance), chance)
        try:
            check(text)
        except Exception:
            print(f"seed {seed}: {text!r}", file=sys.stderr)
            raise


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    fuzz(numbers[0] if numbers else 1_000_000, numbers[1] if numbers[1:] else 0)
