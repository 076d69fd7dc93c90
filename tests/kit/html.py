"""Documents of HTML made of tags that interfere with each other, for property tests."""

from __future__ import annotations

from adc_plugins.html_validation.syntax.names import words
from adc_plugins.html_validation.tree import dumped
from hypothesis import strategies as st

__all__ = ["DOCUMENTS", "dumped"]

_NAMES = sorted(
    words(
        "a b i p div span table tr td tbody caption colgroup col select option optgroup form button li ul dd dt h1 h2"
        " pre textarea title script style noscript template svg math mi foreignObject annotation-xml desc frameset head"
        " body html br img input hr ruby rt object nobr plaintext"
    )
)
_TAGS = st.sampled_from(_NAMES).flatmap(
    lambda name: st.sampled_from(
        [
            f"<{name}>",
            f"</{name}>",
            f"<{name}/>",
            f"<{name} a='1' a=\"2\" b=&amp>",
            f"<{name} href=c src = 'http://a/d'e>",
        ]
    )
)
_MARKUP = st.sampled_from(
    [
        "<!--",
        "-->",
        "--!>",
        "<!DOCTYPE html>",
        "<![CDATA[",
        "]]>",
        "<",
        ">",
        "&",
        "&lt",
        "&#0;",
        "\0",
        "\n",
        "'",
        '"',
        "<?",
    ]
)
DOCUMENTS = st.lists(st.one_of(_TAGS, _MARKUP, st.text(max_size=5)), max_size=30).map("".join)
