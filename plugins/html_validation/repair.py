"""A document without parse errors in its syntax that a browser reads as the same tree."""

from __future__ import annotations

from webencodings import lookup

from .encoding import decoded
from .serialise import serialised
from .syntax.quirks import has_quirks
from .tree import dumped, parse


def repaired(text: str, label: str, mark: bytes, scripting: bool) -> bytes | None:
    """Return a document in the encoding `label` whose tree is that of `text`, behind the byte order `mark`.

    None if there is none: some trees have no text that a parser reads as them, such as a link within a link.
    """
    encoding = lookup(label)
    root = parse(text, scripting=scripting)
    content: bytes = encoding.codec_info.encode(serialised(root, scripting=scripting), "xmlcharrefreplace")[0]
    made = decoded(content, encoding)
    if has_quirks(made) != has_quirks(text) or dumped(parse(made, scripting=scripting)) != dumped(root):
        return None
    return mark + content
