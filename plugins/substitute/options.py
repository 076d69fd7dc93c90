"""The options of the plugin."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from adc.plugin import ContentTypes, Options, Size

LONGEST = 2000
"""Bytes of a text to find."""


class Rule(Options):
    """What to find, and what replaces it."""

    find: Annotated[str, Field(min_length=1)] | None = None
    """A text. It may not have more than 2000 bytes (UTF-8)."""
    regex: str | None = None
    """A regular expression in place of `find`; a match is at most `window` long."""
    replace: str = ""
    """The replacement, with the placeholders `{host}`, `{scheme}`, `{path}`, `{client_ip}`, `{request_id}` and
    `{route}`; for `regex` also `\\1` and `\\g<name>`."""
    ignore_case: bool = False
    """Find ASCII letters in either case."""
    once: bool = False
    """Replace the first match of a response only."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Rule:
        if (self.find is None) == (self.regex is None):
            raise ValueError("a rule has `find`, a text, or `regex`, an expression; write one of them")
        if self.find is not None and len(self.find.encode()) > LONGEST:
            raise ValueError(f"`find` has {len(self.find.encode())} bytes; at most {LONGEST} are allowed")
        return self


class SubstituteOptions(Options):
    """Which responses are searched, for what."""

    rules: Annotated[list[Rule], Field(min_length=1, max_length=1000)]
    """All rules are applied in one pass. Where several match at the same place, the first in the list does; what was
    replaced is not searched again."""
    content_types: ContentTypes = Field(("text/html",), validate_default=True)
    """Media types of the responses to change."""
    window: Annotated[Size, Field(ge=1 << 10, le=1 << 20)] = 8 << 10
    """The longest match of a `regex`, and how much of a response waits for what follows it."""
