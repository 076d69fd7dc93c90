from __future__ import annotations

import pytest
from adc_plugins.substitute.literal import LONGEST, Literal, overlaps_itself

EVERY_BYTE = bytes(range(256))


@pytest.mark.parametrize("code", range(256))
def test_each_byte_stands_for_itself(code: int) -> None:
    byte = bytes([code])
    others = EVERY_BYTE.replace(byte, b"")

    assert Literal(byte).replaced_by(b"")(EVERY_BYTE) == (others, 1)


def test_replacement_is_taken_as_it_is() -> None:
    replacement = EVERY_BYTE + rb"$1 ${1} $$ \1 \g<0> \Q \U \n \\"

    assert Literal(b"x").replaced_by(replacement)(b"axxb") == (b"a" + replacement * 2 + b"b", 2)


def test_replacement_may_be_much_longer_than_the_content() -> None:
    assert Literal(b"x").replaced_by(b"long" * 1000)(b"xx") == (b"long" * 2000, 2)


def test_text_over_the_longest_is_rejected() -> None:
    with pytest.raises(ValueError, match="too long"):
        Literal(b"x" * (LONGEST + 1))


@pytest.mark.parametrize(
    ("text", "overlaps"),
    [(b"aa", True), (b"aBcA", True), (b"http://h", True), (b"http://intranet/", False), (b"a", False)],
)
def test_text_overlaps_itself_if_it_ends_as_it_begins(text: bytes, overlaps: bool) -> None:
    assert overlaps_itself(text) is overlaps
