"""Mutation fuzzing of what reads HTML: the checker, the rewriter, selectors, links and policies.

`python -m tests.fuzz.fuzz_html [iterations] [seed]` runs as long as you like; `test_fuzz_html.py` does so for a moment.
"""

from __future__ import annotations

import sys
from random import Random

from adc_plugins.html_rewrite.document import Document
from adc_plugins.html_rewrite.link_places import LinkEdits
from adc_plugins.html_rewrite.nonce import NonceEdits, with_nonce
from adc_plugins.html_rewrite.program import Change, Program
from adc_plugins.html_rewrite.rewriter import Rewriter
from adc_plugins.html_rewrite.selectors import SelectorError, parse_selectors
from adc_plugins.html_rewrite.urls import Links, read_moves
from adc_plugins.html_validation import check
from adc_plugins.html_validation.encoding import encoding_of

SEEDS = (
    "<!DOCTYPE html><html><head><title>t</title><base href='/a/'><meta charset=euc-kr></head><body class=a>",
    "<a href=\"http://a/b?c=1&amp;d\" title='x>y'>x</a><img srcset='a 1x, b 2x' src=c><p style='b: url(c)'>",
    "<script><!-- <script> --></script><style>@import 'a'; b { c: url(\"d\") }</style><textarea></p></textarea>",
    "<svg><path d=''/><![CDATA[<a>]]><foreignObject><p>x</foreignObject></svg><math><mi>x</math>",
    "<table><tr><td>a<table><caption>b</table><select><option>c<optgroup></select><template><td>x</template>",
    "<b><p><i>x</b>y</i></p><!-- a --!><!-->&#0;&copy&notit;&#x110000;</body></html>",
    "script-src 'self' 'nonce-a', default-src 'none'; p.a > b[c~='d' i]:not(#e), f",
)
SPICE = (
    "<",
    ">",
    "/",
    "=",
    '"',
    "'",
    "&",
    "&#",
    "--",
    "<!--",
    "-->",
    "]]>",
    "\0",
    "\n",
    " ",
    "!",
    "é",
    "\ufeff",
    "(",
    ")",
    ",",
)
PROGRAM = Program(
    [
        (parse_selectors("p, td > b"), Change(((b"x", "1"), (b"a", None)), "<hr>", "1", "2", "<br>")),
        (parse_selectors("div i, li, svg"), Change(remove=True)),
        (parse_selectors("a, body"), Change(append="3")),
    ]
)


def mutated(text: str, chance: Random) -> str:
    """Return `text` with one to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.randint(0, 8))
        piece = chance.choice(("", chance.choice(SPICE), text[start:end] * 2, chance.choice(SEEDS)))
        text = text[:start] + piece + text[end:]
    return text


def rewritten(content: bytes, size: int) -> bytes:
    """Return what the rewriter makes of `content` in chunks of `size`."""
    edits = LinkEdits(Links(read_moves({"http://a/": "/b/"}), "http://h/", absolute=True))
    document = Document([edits, NonceEdits("n")], None, "n", edits.style, edits.style_sheet)
    made = Rewriter(PROGRAM, document)
    parts = [made.feed(content[start : start + size], False) for start in range(0, len(content), size)]
    return b"".join(parts) + made.feed(b"", True)


def examine(text: str, chance: Random) -> None:
    """Errors have places, chunks make no difference, selectors are read or refused."""
    for error in check(text):
        assert error.line >= 1
        assert error.column >= 1
    content = text.encode()
    encoding_of(content, content[:40])
    assert rewritten(content, chance.randint(1, 40)) == rewritten(content, len(content) or 1)
    with_nonce(text, "n")
    try:
        parse_selectors(text)
    except SelectorError:
        pass


def fuzz(iterations: int, seed: int) -> None:
    """Check `iterations` mutations; the same seed tries the same ones."""
    chance = Random(seed)
    for _ in range(iterations):
        text = mutated("".join(chance.sample(SEEDS, 3)), chance)
        try:
            examine(text, chance)
        except Exception:
            print(f"seed {seed}: {text!r}", file=sys.stderr)
            raise


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    fuzz(numbers[0] if numbers else 1_000_000, numbers[1] if numbers[1:] else 0)
