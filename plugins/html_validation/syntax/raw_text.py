"""The content of elements that hold text only: script, style, title, textarea and others."""

from __future__ import annotations

import re
from functools import cache

from .errors import ErrorList
from .references import check_references
from .tags import report_nulls

RCDATA = frozenset({"title", "textarea"})
RAW_TEXT = frozenset({"style", "xmp", "iframe", "noembed", "noframes", "noscript"})
_SCRIPT = re.compile(r"<!--|</script(?=[\t\n\f />])", re.IGNORECASE)
_ESCAPED = re.compile(r"-->|<(/?)script(?=[\t\n\f />])", re.IGNORECASE)


@cache
def _end_tag(name: str) -> re.Pattern[str]:
    return re.compile(rf"</{name}(?=[\t\n\f />])", re.IGNORECASE)


def skip_text(text: str, position: int, name: str, errors: ErrorList) -> int:
    """Return the position of the end tag of the element `name` whose content begins at `position`, or the end."""
    if name == "plaintext":
        end = len(text)
    elif name == "script":
        end = _script_end(text, position, errors)
    else:
        found = _end_tag(name).search(text, position)
        end = found.start() if found else len(text)
    report_nulls(text, position, end, errors)
    if name in RCDATA:
        check_references(text, position, end, errors)
    return end


def _script_end(text: str, position: int, errors: ErrorList) -> int:
    """Return the end of a script: in `<!-- <script>` an end tag ends the inner script."""
    pattern, nested = _SCRIPT, False
    while found := pattern.search(text, position):
        if found[0] == "<!--":
            pattern, position = _ESCAPED, found.start() + 2
        elif found[0] == "-->":
            pattern, position, nested = _SCRIPT, found.end(), False
        elif found[0].startswith("</"):
            if not nested:
                return found.start()
            nested, position = False, found.end()
        else:
            nested, position = True, found.end()
    if pattern is _ESCAPED:
        errors.add(len(text), "eof-in-script-html-comment-like-text")
    return len(text)
