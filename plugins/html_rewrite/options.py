"""The options of `html_rewrite`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from adc.plugin import ContentTypes, Options

from .selectors import parse_selectors
from .urls import read_moves

_ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_:.-]*")


def _attribute(name: str) -> str:
    if not _ATTRIBUTE.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of an attribute")
    return name.lower()


def _selector(text: str) -> str:
    parse_selectors(text)
    return text


def _moves(moves: dict[str, str]) -> dict[str, str]:
    read_moves(moves)
    return moves


def _policy(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("only printable ASCII characters are allowed")
    return text


AttributeName = Annotated[str, AfterValidator(_attribute)]


class Rule(Options):
    """Changes of the elements that a selector selects. Texts are HTML, but `text`."""

    select: Annotated[str, AfterValidator(_selector)]
    """CSS selectors of tags, `#id`, `.class`, `[attr]` with values, `:not()`, descendants and children (`>`)."""

    set: dict[AttributeName, str] = Field(default={})
    """Attributes and their values."""

    remove_attributes: tuple[AttributeName, ...] = ()
    """Attributes to remove."""

    before: str = ""
    """HTML in front of the element."""

    prepend: str = ""
    """HTML in the element, in front of its content."""

    append: str = ""
    """HTML in the element, behind its content."""

    after: str = ""
    """HTML behind the element."""

    html: str | None = None
    """HTML in place of the element's content."""

    text: str | None = None
    """Text in place of the element's content."""

    remove: bool = False
    """True: the element and its content are removed."""

    unwrap: bool = False
    """True: the element is removed, its content stays."""

    @model_validator(mode="after")
    def _has_one_meaning(self) -> Rule:
        if not self.model_fields_set - {"select"}:
            raise ValueError(
                "a rule needs a change: set, remove_attributes, before, prepend, append, after, html, text, ..."
            )
        excluding = [
            name for name in ("html", "text", "remove", "unwrap") if getattr(self, name) not in (None, False)
        ]
        if len(excluding) > 1:
            raise ValueError(f"{' and '.join(excluding)} exclude each other")
        return self


class LinkOptions(Options):
    """Changes of links in attributes, `srcset`, refresh and CSS."""

    move: Annotated[dict[str, str], AfterValidator(_moves)] = Field(default={})
    """Prefixes and what replaces them, the longest first. `http://intranet/` also means `//intranet/`, `/app/` means
    links without a host."""

    absolute: bool = False
    """True: relative links become absolute, by the URL that the client requested or the `base` element."""


class HtmlRewriteOptions(Options):
    """What is changed. All rules apply to each element, in their order."""

    rules: tuple[Rule, ...] = ()
    """Changes of elements."""

    links: LinkOptions = LinkOptions()
    """Changes of links."""

    csp_nonce: bool = False
    """True: `script` and `style` elements get a nonce, which is added to `Content-Security-Policy`. Responses without
    that field stay, and so do those that have a nonce."""

    csp_policy: Annotated[str, AfterValidator(_policy)] = ""
    """With `csp_nonce`: the policy of responses that have none."""

    banner: str = ""
    """HTML in front of the content of the body."""

    content_types: ContentTypes = Field(default=["text/html"], validate_default=True)
    """Media types of the responses that are changed."""

    @model_validator(mode="before")
    @classmethod
    def _changes_something(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.keys() & {"rules", "links", "csp_nonce", "banner"}:
            raise ValueError("at least one of rules, links, csp_nonce and banner is needed")
        return values
