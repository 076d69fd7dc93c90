"""Each error of the HTML standard, with its place."""

from __future__ import annotations

import pytest
from adc_plugins.html_validation import check

START = "<!DOCTYPE html>"
TOKENIZER = {
    "<!-->": "5 abrupt-closing-of-empty-comment",
    "<!--->": "6 abrupt-closing-of-empty-comment",
    "&#;": "3 absence-of-digits-in-numeric-character-reference",
    "&#x;": "4 absence-of-digits-in-numeric-character-reference",
    "<![CDATA[x]]>": "9 cdata-in-html-content",
    "&#x110000;": "11 character-reference-outside-unicode-range",
    "a\x01": "2 control-character-in-input-stream",
    "&#1;": "5 control-character-reference",
    "<i></i a>": "9 end-tag-with-attributes",
    "<i></i/>": "8 end-tag-with-trailing-solidus",
    "<i a=1 a=2></i>": "9 duplicate-attribute",
    "<i a A></i>": "7 duplicate-attribute",
    "</": "3 eof-before-tag-name",
    "<": "2 eof-before-tag-name",
    "<svg><![CDATA[x": "16 eof-in-cdata",
    "<!--x": "6 eof-in-comment",
    "<i": "3 eof-in-tag",
    "<i a='": "7 eof-in-tag",
    "<!--x--!>": "9 incorrectly-closed-comment",
    "<!x>": "3 incorrectly-opened-comment",
    "<1": "2 invalid-first-character-of-tag-name",
    "</1>": "3 invalid-first-character-of-tag-name",
    "<i a=></i>": "6 missing-attribute-value",
    "</>": "3 missing-end-tag-name",
    "&lt x": "4 missing-semicolon-after-character-reference",
    "&#65 x": "5 missing-semicolon-after-character-reference",
    "<i a='1'b></i>": "9 missing-whitespace-between-attributes",
    "<!-- <!-- -->": "10 nested-comment",
    "a\ufffe": "2 noncharacter-in-input-stream",
    "\U0001fffe": "1 noncharacter-in-input-stream",
    "&#xFFFE;": "9 noncharacter-character-reference",
    "<i/></i>": "1 non-void-html-element-start-tag-with-trailing-solidus",
    "&#0;": "5 null-character-reference",
    "&#xD800;": "9 surrogate-character-reference",
    '<i a"></i>': "5 unexpected-character-in-attribute-name",
    "<i a=b'></i>": "7 unexpected-character-in-unquoted-attribute-value",
    "<i =></i>": "4 unexpected-equals-sign-before-attribute-name",
    "a\0": "2 unexpected-null-character",
    "<i a='\0'></i>": "7 unexpected-null-character",
    "<?xml ?>": "6 disallowed-processing-instruction-target",
    "<?x": "4 eof-in-processing-instruction",
    "<?x y?": "7 eof-in-processing-instruction",
    "<?1>": "3 invalid-first-character-of-processing-instruction-target",
    "<?x.y>": "4 invalid-processing-instruction-target",
    "<i/ a></i>": "4 unexpected-solidus-in-tag",
    "&unknown;": "9 unknown-named-character-reference",
}
DOCTYPES = {
    "<!DOCTYPE html PUBLIC '>": "24 abrupt-doctype-public-identifier",
    "<!DOCTYPE html SYSTEM '>": "24 abrupt-doctype-system-identifier",
    "<!DOCTYPE html": "15 eof-in-doctype",
    "<!DOCTYPE html x>": "16 invalid-character-sequence-after-doctype-name",
    "<!DOCTYPE>": "10 missing-doctype-name",
    "<!DOCTYPE html PUBLIC>": "22 missing-doctype-public-identifier",
    "<!DOCTYPE html SYSTEM>": "22 missing-doctype-system-identifier",
    "<!DOCTYPE html PUBLIC x>": "23 missing-quote-before-doctype-public-identifier",
    "<!DOCTYPE html SYSTEM x>": "23 missing-quote-before-doctype-system-identifier",
    "<!DOCTYPE html PUBLIC'x'>": "22 missing-whitespace-after-doctype-public-keyword",
    "<!DOCTYPE html SYSTEM'x'>": "22 missing-whitespace-after-doctype-system-keyword",
    "<!DOCTYPEhtml>": "10 missing-whitespace-before-doctype-name",
    "<!DOCTYPE html PUBLIC 'x''y'>": "26 missing-whitespace-between-doctype-public-and-system-identifiers",
    "<!DOCTYPE html SYSTEM 'x' y>": "27 unexpected-character-after-doctype-system-identifier",
}
SCRIPT = "<script><!--"
CONSTRUCTION = {
    "<p>x</i>": "5 unexpected-end-tag",
    "<b><p>x</b>": "8 adoption-agency",
    "<i><div></i></div>": "9 adoption-agency",
    "<a><a>": "4 unexpected-start-tag-implies-end-tag",
    "<table>x</table>": "8 foster-parenting-character",
    "<table><div></table>": "8 unexpected-start-tag-implies-table-voodoo",
    "<ul><li></ul></li>": "14 unexpected-end-tag",
    "<div>": "6 expected-closing-tag-but-got-eof",
    "<div><span></div>": "12 end-tag-too-early",
    "<form><form></form>": "7 unexpected-start-tag",
    "<title>x": "9 expected-named-closing-tag-but-got-eof",
    "<svg><div></svg>": "6 unexpected-html-element-in-foreign-content",
    "</body>x": "8 unexpected-char-after-body",
    "<!DOCTYPE html>": "1 unexpected-doctype",
    "<button><button></button>": "9 unexpected-start-tag-implies-end-tag",
    "<tr>": "1 unexpected-start-tag-ignored",
}


def errors(text: str) -> list[str]:
    return [f"{error.column} {error.code}" for error in check(text)]


@pytest.mark.parametrize(("text", "expected"), TOKENIZER.items(), ids=repr)
def test_error_of_the_tokenizer_has_its_code_and_column(text: str, expected: str) -> None:
    column, _, code = expected.partition(" ")
    assert f"{int(column) + len(START)} {code}" in errors(START + text)


@pytest.mark.parametrize(("text", "expected"), DOCTYPES.items(), ids=repr)
def test_error_of_the_document_type_has_its_code_and_column(text: str, expected: str) -> None:
    assert expected in errors(text)


@pytest.mark.parametrize(("text", "expected"), CONSTRUCTION.items(), ids=repr)
def test_error_of_tree_construction_has_a_code_and_the_column_of_the_tag(text: str, expected: str) -> None:
    column, _, code = expected.partition(" ")
    assert errors(START + text)[0] == f"{int(column) + len(START)} {code}"


def test_script_that_ends_in_a_comment_is_an_error() -> None:
    assert errors(START + SCRIPT)[0] == f"{len(START + SCRIPT) + 1} eof-in-script-html-comment-like-text"


@pytest.mark.parametrize(
    "text",
    [
        "<p>a<p>b<ul><li>c<li>d</ul><dl><dt>e<dd>f</dl>",
        "<table><caption>a</caption><colgroup><col><tr><td>b<th>c<tbody><tr><td>d</table>",
        "<select><optgroup label=a><option>b<option>c</select><ruby>a<rp>(<rt>b<rp>)</ruby>",
        "<svg viewBox='0 0 1 1'><path d=''/><foreignObject><p>x</p></foreignObject><![CDATA[<a>]]></svg>",
        "<math><mi>x</mi><annotation-xml encoding='text/html'><p>a</p></annotation-xml></math>",
        "<script>if (a < b && '</p>') {}</script><style>a > b {}</style><textarea></p>&amp;</textarea>",
        "<script><!-- <script></script> --></script><noscript><p></noscript>",
        "<template><tr><td>x</td></tr></template><template><li>x</template>",
        "<a href='?a=1&b=2&amp=3&copy=4'>a &amp; b & c &x AT&T</a><br/><img src=a/><input type=hidden>",
        "<?target a > b?><?_x><p>x<?y-z?></p>",
        "<pre>\n\nx</pre><button>a</button><details><summary>a</summary></details><dialog></dialog>",
        "<b><i>x</i></b><p><em>y</em><object><param name=a></object></p><h1>a</h1><h2>b</h2>",
        "<!-- a - b -- c <! --><form><fieldset><legend>a</legend></fieldset></form><hr>",
        "<p>가나다 \U0001f600 \u20ac\n\ttab\x0c</p>",
    ],
)
def test_valid_document_has_no_errors(text: str) -> None:
    assert (
        errors(START + "<html lang=en><head><meta charset=utf-8><title>t</title></head><body>" + text) == []
    )
    assert (
        errors("\ufeff<!-- a -->" + START + "<title>t</title>" + text + "\n</body>\n</html>\n<!-- b -->")
        == []
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_way(end: str) -> None:
    text = f"<!DOCTYPE html>{end}<title>x</title>{end}{end}  </i>"
    assert [str(error) for error in check(text)] == ["4:3 unexpected-end-tag"]


def test_document_without_a_document_type_is_an_error() -> None:
    assert errors("<p>x") == ["1 expected-doctype-but-got-start-tag"]
    assert errors("  x") == ["3 expected-doctype-but-got-chars"]
    assert errors("") == ["1 expected-doctype-but-got-eof"]
    assert errors("<!DOCTYPE html PUBLIC 'a'>") == ["1 unknown-doctype"]
