"""Header edits of a route, compiled once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import Formatter

from adc.http.fields import FRAMING, HOP_BY_HOP
from adc.http.headers import Headers, Pair
from adc.http.message import Request
from adc.http.patterns import BytesReplacement

PLACEHOLDERS = ("client_ip", "host", "scheme", "path", "request_id", "route")

_OWN = FRAMING | HOP_BY_HOP | {b"host"}
_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_control_bytes = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


Replacements = Mapping[str, Sequence[tuple[str, str]]]
"""Field name -> regular expressions and what replaces their matches, in order."""


class HeaderEdits:
    """Values to replace by regular expression, lines to remove, to set (in place of all lines of that name) and to add,
    applied in this order. `gone` are the lower-case names of which no received line is left.

    A replacement edits each line of its name; a line that becomes empty, or that has too many matches
    (`adc.http.patterns.MOST_REPLACED`), is removed. Values to set and to add may hold the `PLACEHOLDERS` in braces; a
    literal brace is written twice.

    Raises `ValueError` for a name that is no token (RFC 9110 section 5.6.2) or that the proxy writes (framing,
    hop-by-hop and `Host`, which a rewrite sets), for a value with control characters or an unknown placeholder, and for
    an expression that cannot be used.
    """

    __slots__ = ("_fixed", "_made", "_replaced", "gone")

    def __init__(
        self,
        set_: Mapping[str, str],
        add: Mapping[str, str],
        remove: Sequence[str],
        replace: Replacements | None = None,
    ) -> None:
        self._replaced = {
            _name(name).lower(): tuple(BytesReplacement(*edit) for edit in edits)
            for name, edits in (replace or {}).items()
        }
        self.gone = tuple(_name(name).lower() for name in (*remove, *set_))
        fixed: list[Pair] = []
        made: list[tuple[bytes, str]] = []
        for name, value in (*set_.items(), *add.items()):
            if _has_placeholder(value):
                made.append((_name(name), value))
            else:
                fixed.append((_name(name), _wire(value.format())))
        self._fixed = tuple(fixed)
        self._made = tuple(made)

    def apply(self, headers: Headers, request: Request, request_id: str, route: str) -> None:
        """Change `headers`, of the request or of its response, in place."""
        if self._replaced and not self._replaced.keys().isdisjoint(headers.index):
            self._replace(headers)
        if self.gone:
            headers.remove(*self.gone)
        for name, value in self._fixed:
            headers.add(name, value)
        for name, template in self._made:
            text = template.format(
                client_ip=request.source,
                host=request.host,
                scheme=request.scheme,
                path=request.path,
                request_id=request_id,
                route=route,
            )
            headers.add(name, _wire(text))

    def _replace(self, headers: Headers) -> None:
        kept: list[Pair] = []
        for name, value in headers.pairs:
            edits = self._replaced.get(name.lower())
            made = value if edits is None else _replaced(value, edits)
            if made or not value:
                kept.append((name, made))
        headers.replace(kept)


def header_edits(
    set_: Mapping[str, str],
    add: Mapping[str, str],
    remove: Sequence[str],
    replace: Replacements | None = None,
) -> HeaderEdits | None:
    """Return the compiled edits, None if there is nothing to do. Raises `ValueError` as `HeaderEdits` does."""
    return HeaderEdits(set_, add, remove, replace) if set_ or add or remove or replace else None


def _replaced(value: bytes, edits: tuple[BytesReplacement, ...]) -> bytes:
    """Return the edited value of a line, b"" if the line is to be removed."""
    try:
        for edit in edits:
            value = edit.apply(value)
    except ValueError:
        return b""
    return _control_bytes.sub(b" ", value).strip(b" \t")


def _name(text: str) -> bytes:
    if not _token(text):
        raise ValueError(f"{text!r} is not a field name")
    name = text.encode("ascii")
    if name.lower() in _OWN:
        raise ValueError(f"'{text}' is written by the proxy itself and cannot be edited")
    return name


def _has_placeholder(value: str) -> bool:
    """True if `value` depends on the request. Raises `ValueError` if it cannot be a field value."""
    if _control.search(value):
        raise ValueError("a field value holds no control characters")
    found = False
    for _, name, spec, conversion in Formatter().parse(value):
        if name is None:
            continue
        if name not in PLACEHOLDERS or spec or conversion:
            raise ValueError(f"unknown placeholder '{{{name}}}'; known are {', '.join(PLACEHOLDERS)}")
        found = True
    return found


def _wire(value: str) -> bytes:
    """Return a field value in UTF-8, with characters replaced that could end its line."""
    return _control.sub(" ", value).strip(" \t").encode("utf-8", "replace")
