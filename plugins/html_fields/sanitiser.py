"""HTML in one value: what is not allowed in it, and the value without that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

import nh3
from selectolax.lexbor import LexborHTMLParser

_MARKUP = re.compile(r"<(?:[A-Za-z/!?]|\Z)")


class Sanitiser:
    """Allows `tags` with `attributes` (by tag, `*` for any) and links of `schemes`."""

    def __init__(self, tags: Set[str], attributes: Mapping[str, Set[str]], schemes: Set[str]) -> None:
        self._cleaner = nh3.Cleaner(
            tags=set(tags),
            attributes={tag: set(names) for tag, names in attributes.items()},
            url_schemes=set(schemes),
            clean_content_tags={"script", "style"} - set(tags),
            link_rel=None,
        )

    def sanitised(self, value: str) -> str | None:
        """Return `value` without what is not allowed; None if all of it is.

        A value without a tag or comment is text, whatever else is in it. One whose HTML is allowed stays as written.
        The `<` of a tag or comment that the value does not finish is escaped: the page around it could finish it.
        """
        if not self.has_markup(value):
            return None
        if not _is_finished(value):
            start = value.rfind("<")
            return self._clean(f"{value[:start]}&lt;{value[start + 1 :]}")
        cleaned = self._clean(value)
        return None if _normal(cleaned) == _normal(value) else cleaned

    @staticmethod
    def has_markup(value: str) -> bool:
        """Return True if there is a tag or a comment in `value`."""
        return _MARKUP.search(value) is not None

    def _clean(self, value: str) -> str:
        cleaned: str = self._cleaner.clean(value)
        return cleaned


def _normal(html: str) -> str:
    """Return the HTML that a parser writes for `html`."""
    return LexborHTMLParser(html, is_fragment=True).html or ""


def _is_finished(html: str) -> bool:
    """Return True if a parser sees an element that follows `html`, which does not end within a tag or comment."""
    if html.endswith("<"):
        return False
    before = len(LexborHTMLParser(html, is_fragment=True).css("wbr"))
    return len(LexborHTMLParser(html + "<wbr>", is_fragment=True).css("wbr")) > before
