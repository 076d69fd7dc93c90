"""Characters that may be taken for ASCII."""

from unicodedata import category

import pytest

from adc.http.lookalikes import plain_ascii, replacement
from adc.http.target import split_target


@pytest.mark.parametrize(
    ("character", "plain"),
    [
        ("\uff21", "A"),
        ("\u2026", "..."),
        ("\ufb01", "fi"),
        ("\u2100", "a/c"),
        ("\u037e", ";"),
        ("\u20a9", "\\"),
        ("\u3000", " "),
        ("\xa0", " "),
        ("\u200b", ""),
        ("\xe9", "\xe9"),
        ("\u1eaf", "\u1eaf"),
        ("\u0967", "\u0967"),
    ],
)
def test_a_character_is_taken_for_what_normalisation_makes_of_it(character, plain):
    assert plain_ascii(character.encode().decode("latin-1")) == plain.encode().decode("latin-1")


@pytest.mark.parametrize(
    "text",
    ["\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x80\x80\x80\xaf", "\xfc\x80\x80\x80\x80\xaf"],
)
def test_an_overlong_form_is_taken_for_its_character(text):
    assert plain_ascii(text) == "/"


@pytest.mark.parametrize(
    "text", ["\xc7\xd1\xb1\xdb", "\xe2\x28\xa1", "\xed\xa0\x80", "\xf4\xbf\xbf\xbf", "\xff"]
)
def test_bytes_that_are_not_utf_8_stay(text):
    assert plain_ascii(text) == text


def _is_plain(character):
    return split_target("/a" + "".join(f"%{byte:02X}" for byte in character.encode()) + "b").plain


def test_no_path_with_a_lookalike_counts_as_plain():
    taken = {}
    for code in (
        *range(0x80, 0xD800),
        *range(0xE000, 0x20000),
        *range(0x2F800, 0x2FA20),
        *range(0xE0000, 0xE1000),
    ):
        text = chr(code).encode().decode("latin-1")
        if replacement.__wrapped__(text) != text:
            taken[code] = _is_plain(chr(code))
    assert len(taken) > 1000
    assert not any(taken.values()), [hex(code) for code, plain in taken.items() if plain]


@pytest.mark.parametrize(
    ("first", "last"), [(0xC0, 0x131), (0x391, 0x3CE), (0x410, 0x44F), (0x621, 0x64A), (0x3041, 0x30FE)]
)
def test_letters_of_common_scripts_are_plain(first, last):
    assert all(_is_plain(chr(code)) for code in range(first, last + 1) if category(chr(code))[0] == "L")


def test_hangul_and_ideographs_are_plain():
    assert all(_is_plain(chr(code)) for code in (*range(0xAC00, 0xD7A4), *range(0x4E00, 0xA000, 7)))
