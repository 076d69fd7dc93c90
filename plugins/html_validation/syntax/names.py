"""Sets of element names of the HTML standard."""

from __future__ import annotations

from typing import Final


def words(text: str) -> frozenset[str]:
    """Return the words of `text`."""
    return frozenset(text.split())


HTML: Final = 0
MATHML: Final = 1
SVG: Final = 2

VOID: Final = words(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr"
)
FORMATTING: Final = words("a b big code em font i nobr s small strike strong tt u")
HEADINGS: Final = words("h1 h2 h3 h4 h5 h6")
CLOSE_P: Final = words(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup"
    " main menu nav ol p search section summary ul"
)
BLOCK_ENDS: Final = words(
    "address article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer header"
    " hgroup listing main menu nav ol pre search section select summary ul"
)
IMPLIED_ENDS: Final = words("dd dt li optgroup option p rb rp rt rtc")
THOROUGH_ENDS: Final = IMPLIED_ENDS | words("caption colgroup tbody td tfoot th thead tr")
MAY_STAY_OPEN: Final = words("dd dt li optgroup option p rb rp rt rtc tbody td tfoot th thead tr body html")
IN_HEAD: Final = words("base basefont bgsound link meta title noframes script style template")
TABLE_PARTS: Final = words("caption col colgroup tbody td tfoot th thead tr")
TABLE_CONTEXT: Final = words("table tbody tfoot thead tr")

_SPECIAL = words(
    "address applet area article aside base basefont bgsound blockquote body br button caption center col colgroup dd"
    " details dir div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header"
    " hgroup hr html iframe img input keygen li link listing main marquee menu meta nav noembed noframes noscript"
    " object ol p param plaintext pre script search section select source style summary table tbody td template"
    " textarea tfoot th thead title tr track ul wbr xmp"
)
_MATHML_TEXT = words("mi mo mn ms mtext")
_SVG_HTML = words("foreignobject desc title")

_SCOPE = words("applet caption html table td th marquee object template select")
SCOPE: Final = _SCOPE
LIST_SCOPE: Final = _SCOPE | {"ol", "ul"}
BUTTON_SCOPE: Final = _SCOPE | {"button"}
TABLE_SCOPE: Final = frozenset(("html", "table", "template"))
_FOREIGN_SCOPE = {(MATHML, name) for name in (*_MATHML_TEXT, "annotation-xml")} | {
    (SVG, name) for name in _SVG_HTML
}

BREAKOUT: Final = words(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta"
    " nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)


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
