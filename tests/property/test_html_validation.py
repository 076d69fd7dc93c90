"""The checker of HTML ends on any text, and a repaired document has the tree of the original."""

from __future__ import annotations

from adc_plugins.html_validation import check, tree
from adc_plugins.html_validation.repair import repaired
from hypothesis import given
from hypothesis import strategies as st
from webencodings import lookup

from tests.kit.html import DOCUMENTS


@given(DOCUMENTS, st.booleans())
def test_any_text_is_checked(text: str, scripting: bool) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for error in check(text, scripting=scripting):
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1


@given(DOCUMENTS, st.sampled_from(["utf-8", "euc-kr", "windows-1252"]))
def test_repaired_document_has_the_same_tree(text: str, label: str) -> None:
    encoding = lookup(label)
    text = encoding.codec_info.decode(encoding.codec_info.encode(text, "replace")[0], "replace")[0]
    made = repaired(text, label, b"", scripting=True)
    if made is not None:
        assert tree(encoding.codec_info.decode(made)[0]) == tree(text)


@given(DOCUMENTS)
def test_serialised_elements_have_no_errors_of_the_tokenizer_that_close_them_early(text: str) -> None:
    made = repaired("<!DOCTYPE html>" + text, "utf-8", b"", scripting=True)
    if made is not None:
        codes = {error.code for error in check(made.decode())}
        assert not codes & {"eof-in-tag", "duplicate-attribute", "missing-attribute-value"}
