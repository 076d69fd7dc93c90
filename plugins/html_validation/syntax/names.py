"""Sets of element names of the HTML standard."""

from __future__ import annotations

from typing import Final

HTML: Final = 0
MATHML: Final = 1
SVG: Final = 2

VOID: Final = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
FORMATTING: Final = frozenset("a b big code em font i nobr s small strike strong tt u".split())
HEADINGS: Final = frozenset("h1 h2 h3 h4 h5 h6".split())
CLOSE_P: Final = frozenset(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup"
    " main menu nav ol p search section summary ul".split()
)
BLOCK_ENDS: Final = frozenset(
    "address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer header"
    " hgroup listing main menu nav ol pre search section select summary ul".split()
)
IMPLIED_ENDS: Final = frozenset("dd dt li optgroup option p rb rp rt rtc".split())
THOROUGH_ENDS: Final = IMPLIED_ENDS | frozenset("caption colgroup tbody td tfoot th thead tr".split())
MAY_STAY_OPEN: Final = frozenset(
    "dd dt li optgroup option p rb rp rt rtc tbody td tfoot th thead tr body html".split()
)
IN_HEAD: Final = frozenset("base basefont bgsound link meta title noframes script style template".split())
TABLE_PARTS: Final = frozenset("caption col colgroup tbody td tfoot th thead tr".split())
TABLE_CONTEXT: Final = frozenset("table tbody tfoot thead tr".split())

_SPECIAL_HTML = (
    "address applet area article aside base basefont bgsound blockquote body br button caption center col colgroup dd"
    " details dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header"
    " hgroup hr html iframe img input keygen li link listing main marquee menu meta nav noembed noframes noscript object"
    " ol p param plaintext pre script search section select source style summary table tbody td template textarea tfoot"
    " th thead title tr track ul wbr xmp"
)
_MATHML_TEXT = frozenset("mi mo mn ms mtext".split())
_SVG_HTML = frozenset("foreignobject desc title".split())

_SCOPE = frozenset("applet caption html table td th marquee object template select".split())
SCOPE: Final = _SCOPE
LIST_SCOPE: Final = _SCOPE | {"ol", "ul"}
BUTTON_SCOPE: Final = _SCOPE | {"button"}
TABLE_SCOPE: Final = frozenset(("html", "table", "template"))
_FOREIGN_SCOPE = {(MATHML, name) for name in (*_MATHML_TEXT, "annotation-xml")} | {(SVG, name) for name in _SVG_HTML}

BREAKOUT: Final = frozenset(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta"
    " nobr ol p pre ruby s small span strong strike sub sup table tt u ul var".split()
)
_SPECIAL = frozenset(_SPECIAL_HTML.split())


class OpenElement:
    """An element on the stack. `space` is its namespace."""

    __slots__ = ("attributes", "html_point", "is_open", "name", "space", "text_point")

    def __init__(self, name: str, space: int, attributes: dict[str, str]) -> None:
        self.name = name
        self.space = space
        self.attributes = attributes
        self.is_open = False
        self.text_point = space == MATHML and name in _MATHML_TEXT
        """True for a text integration point of MathML."""
        self.html_point = (space == SVG and name in _SVG_HTML) or (
            space == MATHML and name == "annotation-xml" and _is_html(attributes.get("encoding", ""))
        )
        """True for an HTML integration point."""

    @property
    def special(self) -> bool:
        """True if the standard calls the element special."""
        if self.space == HTML:
            return self.name in _SPECIAL
        return (self.space, self.name) in _FOREIGN_SCOPE

    @property
    def foreign_scope(self) -> bool:
        """True for a foreign element that limits most scopes."""
        return self.space != HTML and (self.space, self.name) in _FOREIGN_SCOPE


def _is_html(encoding: str) -> bool:
    return encoding.lower() in ("text/html", "application/xhtml+xml")
