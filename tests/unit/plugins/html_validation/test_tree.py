from __future__ import annotations

import pytest
from adc_plugins.html_validation import parse, tree
from adc_plugins.html_validation.encoding import encoding_of
from adc_plugins.html_validation.repair import repaired
from adc_plugins.html_validation.serialise import serialised


def test_tree_is_in_the_format_of_html5lib_tests() -> None:
    text = "<!DOCTYPE html><p b=2 a=1>x<svg xlink:href=y><path/></svg><template><i></template><!--c-->"
    assert tree(text).split("\n") == [
        "| <!DOCTYPE html>",
        "| <html>",
        "|   <head>",
        "|   <body>",
        "|     <p>",
        '|       a="1"',
        '|       b="2"',
        '|       "x"',
        "|       <svg svg>",
        '|         xlink href="y"',
        "|         <svg path>",
        "|       <template>",
        "|         content",
        "|           <i>",
        "|       <!-- c -->",
    ]


def test_document_type_shows_its_identifiers() -> None:
    assert tree("<!DOCTYPE html PUBLIC 'a'>").split("\n")[0] == '| <!DOCTYPE html "a" "">'
    assert tree("<!DOCTYPE html SYSTEM 'b'>").split("\n")[0] == '| <!DOCTYPE html "" "b">'


def test_noscript_is_text_only_with_scripting() -> None:
    assert '"<b>"' in tree("<body><noscript><b></noscript>")
    assert "<b>" in tree("<body><noscript><b></noscript>", scripting=False).replace('"', "")
    assert '"<b>"' not in tree("<body><noscript><b></noscript>", scripting=False)


@pytest.mark.parametrize(
    ("fragment", "expected"), [("tr", "| <td>\n|   <i>"), ("div", "| <i>"), ("svg svg", "| <svg td>\n| <i>")]
)
def test_fragment_is_parsed_in_its_context(fragment: str, expected: str) -> None:
    assert tree("<td><i>", fragment=fragment) == expected


def test_deep_trees_are_written_without_recursion() -> None:
    assert tree("<b>" * 5000).count("<b>") == 5000
    assert serialised(parse("<b>" * 5000)).count("</b>") == 5000


@pytest.mark.parametrize(
    ("content", "content_type", "name"),
    [
        (b"x", b"text/html; charset=EUC-KR", "euc-kr"),
        (b"x", b'text/html; a=b; charset="utf8"', "utf-8"),
        (b"\xef\xbb\xbfx", b"text/html; charset=EUC-KR", "utf-8"),
        (b"\xfe\xff\0x", b"text/html; charset=EUC-KR", "utf-16be"),
        (b"x", b"text/html", "windows-1252"),
        (b"x", b"text/html; charset=unknown", "windows-1252"),
        (b"<meta charset=shift_jis>", b"text/html", "shift_jis"),
        (b"<meta charset=shift_jis>", b"text/html; charset=utf-8", "utf-8"),
        (b"<META\nHTTP-EQUIV=Content-Type CONTENT='text/html; CHARSET=big5'>", b"text/html", "big5"),
        (b"<meta content='a; charset=big5'>", b"text/html", "windows-1252"),
        (b"<!-- <meta charset=big5> --><meta charset=gbk>", b"text/html", "gbk"),
        (b"<p title='<meta charset=big5>'><meta charset=gbk>", b"text/html", "gbk"),
        (b"</p <meta charset=big5><meta charset=gbk>", b"text/html", "gbk"),
        (b"<meta charset=unknown><meta charset=gbk>", b"text/html", "gbk"),
        (b"<meta charset=utf-16>", b"text/html", "utf-8"),
        (b" " * 1024 + b"<meta charset=gbk>", b"text/html", "windows-1252"),
        (b"<?xml version='1.0' encoding='euc-jp'?>", b"text/html", "euc-jp"),
    ],
)
def test_encoding_is_found_as_browsers_do(content: bytes, content_type: bytes, name: str) -> None:
    assert encoding_of(content, content_type).name == name


@pytest.mark.parametrize(
    "text",
    [
        "<pre>\n\n x</pre><textarea>\n\n</textarea>",
        "<b><p>x</b>y</p><i>z",
        "<!DOCTYPE html PUBLIC \"a'b\" 'c'><p a=\"'&quot;<>&amp;\">&lt;&nbsp;&#13;x",
        "<script>a<b</script><style>x</style><noscript><p></noscript><xmp><p></xmp>",
        "<table><tr><td>a</table><svg><path/><style>&lt;</style></svg><template><td>x</template>",
        "<!-- a -- b --><p>x<!---->",
        "<p>x\0y</p>",
    ],
)
def test_repaired_document_has_the_same_tree(text: str) -> None:
    made = repaired(text, "utf-8", b"", scripting=True)
    assert made is not None
    assert tree(made.decode()) == tree(text)


def test_document_whose_mode_would_change_is_not_repaired() -> None:
    assert repaired("<!DOCTYPE html PUBLIC><p>x</i>", "utf-8", b"", scripting=True) is None
