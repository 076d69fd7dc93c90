"""`html_rewrite`: the split into chunks makes no difference, and what no rule selects passes byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

from adc_plugins.html_rewrite.document import Document
from adc_plugins.html_rewrite.link_places import LinkEdits
from adc_plugins.html_rewrite.program import Change, Program
from adc_plugins.html_rewrite.rewriter import Rewriter
from adc_plugins.html_rewrite.selectors import parse_selectors
from adc_plugins.html_rewrite.urls import Links, read_moves
from hypothesis import given
from hypothesis import strategies as st
from justhtml import JustHTML

from tests.kit.html import DOCUMENTS, dumped

CHANGES = [
    ("p, td > b", Change(((b"x", "1"), (b"a", None)), "<hr>", "1", "2", "<br>")),
    ("div i, li", Change(remove=True)),
    ("span, a", Change(unwrap=True, append="3")),
    ("svg > a, title, script", Change(content="4")),
    ("body", Change(prepend="5", append="6")),
    ("head", Change(append="7")),
]
PROGRAM = Program([(parse_selectors(select), change) for select, change in CHANGES])
NOTHING = Program([(parse_selectors("body > nothing, #nothing"), Change(remove=True))])
MARKED = Program([(parse_selectors("p, b[a], td"), Change(((b"marked", "1"),)))])


def rewriter(program: Program = PROGRAM) -> Rewriter:
    edits = LinkEdits(Links(read_moves({"http://a/": "/b/"}), "http://h/", absolute=True))
    return Rewriter(program, Document([edits], None, "", edits.style, edits.style_sheet))


def rewritten(chunks: Sequence[bytes], made: Rewriter) -> bytes:
    return b"".join([made.feed(chunk, False) for chunk in chunks]) + made.feed(b"", True)


@given(DOCUMENTS, st.data())
def test_any_split_gives_the_same_output(text: str, data: st.DataObject) -> None:
    content = text.encode("utf-8", "surrogatepass")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    chunks = [content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    whole = rewritten([content], rewriter())
    assert rewritten(chunks, rewriter()) == whole
    assert rewritten([content[index : index + 1] for index in range(len(content))], rewriter()) == whole


@given(DOCUMENTS)
def test_document_without_a_selected_element_passes_byte_for_byte(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    assert rewritten([content], Rewriter(NOTHING, Document())) == content


@given(st.binary(max_size=200))
def test_any_bytes_are_rewritten(content: bytes) -> None:
    assert rewritten([content], Rewriter(NOTHING, Document())) == content
    rewritten([content], rewriter())


@given(st.tuples(DOCUMENTS, st.sampled_from(["<p>", "<b a>", "<table><tr><td>"]), DOCUMENTS).map("".join))
def test_attribute_is_set_on_the_elements_that_the_parser_builds(text: str) -> None:
    made = rewritten([text.encode()], Rewriter(MARKED, Document())).decode()
    unmarked = JustHTML(made, sanitize=False, scripting_enabled=False).root
    for node in unmarked.query("[marked]"):
        assert node.name in ("p", "b", "td")
        del node.attrs["marked"]
    assert dumped(unmarked) == dumped(JustHTML(text, sanitize=False, scripting_enabled=False).root)
