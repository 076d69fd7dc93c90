"""Names of elements, as bytes in lower case."""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[bytes]:
    """Return the words of `text`."""
    return frozenset(text.encode().split())


VOID: Final = words(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr"
)
RAW_TEXT: Final = words("script style textarea title xmp iframe noembed noframes plaintext")
FORMATTING: Final = words("a b big code em font i nobr s small strike strong tt u")
HEAD_CONTENT: Final = words("base basefont bgsound link meta title noscript noframes style script template")
FOREIGN: Final = words("svg math")
HTML_POINTS: Final = words("foreignobject desc title annotation-xml mi mo mn ms mtext")
"""Foreign elements whose content is HTML."""
BREAKOUT: Final = words(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta"
    " nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
"""HTML elements that end foreign content."""

_SCOPE = words("applet caption html table td th marquee object template select")
_BLOCKS = words(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer form h1 h2 h3"
    " h4 h5 h6 header hgroup hr li dd dt listing main menu nav ol p plaintext pre search section summary table ul xmp"
)
_TABLES = words("table template html")
_CELLS = words("td th")
_ROWS = _CELLS | words("tr")
_GROUPS = _ROWS | words("tbody thead tfoot caption colgroup")


Closing = tuple[frozenset[bytes], frozenset[bytes]]


def _closings() -> dict[bytes, tuple[Closing, ...]]:
    paragraph = (words("p"), _SCOPE | words("button"))
    closings: dict[bytes, tuple[Closing, ...]] = dict.fromkeys(_BLOCKS, (paragraph,))
    closings[b"li"] = ((words("li"), _SCOPE | words("ul ol")), paragraph)
    for name in words("dd dt"):
        closings[name] = ((words("dd dt"), _SCOPE | words("dl")), paragraph)
    closings[b"option"] = ((words("option"), _SCOPE | words("optgroup")),)
    closings[b"optgroup"] = ((words("option optgroup"), _SCOPE),)
    for name in words("rb rt rtc rp"):
        closings[name] = ((words("rb rt rp"), _SCOPE | words("ruby")),)
    for name in _CELLS:
        closings[name] = ((_CELLS, _TABLES | words("tr")),)
    closings[b"tr"] = ((_ROWS, _TABLES | words("tbody thead tfoot")),)
    for name in words("tbody thead tfoot caption colgroup"):
        closings[name] = ((_GROUPS, _TABLES),)
    return closings


CLOSED_BY_START: Final = _closings()
"""For each start tag: the open elements that it closes, up to one of the limits; several of such pairs."""

END_LIMITS: Final = _SCOPE - words("select")
"""Elements that an end tag of an element outside does not close, unless it is of a table."""
TABLE_ENDS: Final = _GROUPS | words("table template html body")
