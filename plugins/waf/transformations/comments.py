"""Comments of SQL, C and HTML."""

from __future__ import annotations

import re

from ..expression import Expression
from .model import Transformation

_C_COMMENT = re.compile(rb"/\*.*?(?:\*/|\Z)", re.DOTALL)
_MARKS = re.compile(rb"/\*|\*/|<!--|--(?:>)?|#")
_COMMENT_START = re.compile(rb"/\*|<!--|--|#")
_COMMENT_END = re.compile(rb"\*/|-->")


def replace_comments(value: bytes) -> bytes:
    """Replace each C comment by a space; one that does not end reaches to the end."""
    if b"/*" not in value:
        return value
    return _C_COMMENT.sub(b" ", value)


def remove_comments_char(value: bytes) -> bytes:
    """Remove the marks of comments and keep their text."""
    return _MARKS.sub(b"", value)


def remove_comments(value: bytes) -> bytes:
    """Remove comments; `--` and `#` end the value.

    The byte behind the end of a comment is kept whatever it is, as in ModSecurity.
    """
    kept = []
    start = 0
    while (comment := _COMMENT_START.search(value, start)) is not None:
        kept.append(value[start : comment.start()])
        if comment[0] in (b"--", b"#"):
            return b"".join(kept)
        end = _COMMENT_END.search(value, comment.end())
        if end is None:
            return b"".join((*kept, b" "))
        kept.append(value[end.end() : end.end() + 1] or b"\x00")
        start = end.end() + 1
    return b"".join((*kept, value[start:]))


COMMENTS = (
    Transformation("replaceComments", replace_comments, Expression(rb"/\*")),
    Transformation("removeCommentsChar", remove_comments_char, Expression(rb"/\*|\*/|--|#")),
    Transformation("removeComments", remove_comments, Expression(rb"/\*|<!--|--|#")),
)
