"""Writing and reading the Set-Cookie field (RFC 6265 sections 4.1 and 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple


class CookieAttributes(NamedTuple):
    """The attributes to send; an empty text and None leave one out. `max_age` in seconds."""

    path: str = "/"
    domain: str = ""
    max_age: int | None = None
    secure: bool = False
    http_only: bool = True
    same_site: str = ""


def format_set_cookie(name: str, value: str, attributes: CookieAttributes) -> bytes:
    """Return a field value. Name, value and attributes are not checked: pass only values from the configuration."""
    parts = [f"{name}={value}"]
    if attributes.path:
        parts.append(f"Path={attributes.path}")
    if attributes.domain:
        parts.append(f"Domain={attributes.domain}")
    if attributes.max_age is not None:
        parts.append(f"Max-Age={attributes.max_age}")
    if attributes.secure:
        parts.append("Secure")
    if attributes.http_only:
        parts.append("HttpOnly")
    if attributes.same_site:
        parts.append(f"SameSite={attributes.same_site.capitalize()}")
    return "; ".join(parts).encode("latin-1")


class SetCookie(NamedTuple):
    """One Set-Cookie line, split so that `replace_value` can join it again byte for byte."""

    name: bytes
    value: bytes
    attributes: bytes
    """All from the first `;` on, as received."""

    def replace_value(self, value: bytes) -> bytes:
        """Return the same line with another value."""
        return self.name + b"=" + value + self.attributes


def parse_set_cookie(line: bytes) -> SetCookie | None:
    """Return name, value and the rest of a Set-Cookie value; None if it has no `=` or no name (RFC 6265 section
    5.2)."""
    pair, semicolon, attributes = line.partition(b";")
    name, equals, value = pair.partition(b"=")
    name = name.strip(b" \t")
    if not equals or not name:
        return None
    return SetCookie(name, value.strip(b" \t"), semicolon + attributes)


def edit_attributes(line: bytes, edits: Mapping[bytes, Callable[[bytes], bytes]]) -> bytes:
    """Return a Set-Cookie value with the values of some attributes edited; `edits` has their lower-case names. An
    attribute whose edited value is empty is removed; one without a value stays."""
    pair, *attributes = line.split(b";")
    kept = [pair]
    for attribute in attributes:
        name, equals, value = attribute.partition(b"=")
        edit, before = edits.get(name.strip(b" \t").lower()), value.strip(b" \t")
        if edit is None or not equals or not before:
            kept.append(attribute)
        elif after := edit(before):
            kept.append(attribute if after == before else b"%b=%b" % (name, after))
    return b";".join(kept)
