"""Rewrites references and cookies of responses by rules: what nginx's proxy_redirect and proxy_cookie_* do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Self

from pydantic import model_validator

from adc.plugin import (
    BytesPattern,
    BytesReplacement,
    Context,
    LocationEdits,
    Options,
    Plugin,
    Request,
    has_locations,
)

Field = Literal["location", "content-location", "refresh", "link"]

DESTINATION_METHODS = frozenset({"COPY", "MOVE"})


class RewriteRule(Options):
    """One rule: `prefix` or `regex`, and what replaces it."""

    prefix: str | None = None
    """A text that values begin with; it is replaced."""

    regex: str | None = None
    """A regular expression (RE2); every match in the value is replaced."""

    replace: str
    """The replacement. It may hold `{scheme}` and `{host}` of the client's URL, and groups of a `regex` as `\\1` or
    `\\g<name>`."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if (self.prefix is None) == (self.regex is None):
            raise ValueError("a rule has either prefix or regex")
        if not self.prefix and not self.regex:
            raise ValueError("the text to find is empty")
        if not (self.replace.isprintable() and self.replace.isascii()):
            raise ValueError(f"{self.replace!r} is not printable ASCII, as field values are")
        if self.regex is not None:
            BytesReplacement(self.regex, self.replace)
        return self


class LocationRewriteOptions(Options):
    """Rules, the first that matches a value applies."""

    locations: tuple[RewriteRule, ...] = ()
    """Rules for the references in the response fields named by `fields`."""

    fields: tuple[Field, ...] = ("location", "content-location", "refresh", "link")
    """Response fields whose references `locations` edits."""

    cookie_paths: tuple[RewriteRule, ...] = ()
    """Rules for the Path of cookies that responses set."""

    cookie_domains: tuple[RewriteRule, ...] = ()
    """Rules for the Domain of cookies that responses set; an empty result removes it."""

    destinations: tuple[RewriteRule, ...] = ()
    """Rules for the Destination of COPY and MOVE requests (WebDAV)."""

    @model_validator(mode="after")
    def _has_rules(self) -> Self:
        if not (self.locations or self.cookie_paths or self.cookie_domains or self.destinations):
            raise ValueError(
                "there is no rule; write locations, cookie_paths, cookie_domains or destinations"
                " (a route with strip_prefix needs none)"
            )
        return self


class LocationRewrite(Plugin[LocationRewriteOptions]):
    """Rewrites `Location` and similar fields, and the Path and Domain of cookies, by rules."""

    def __init__(self, options: LocationRewriteOptions) -> None:
        super().__init__(options)
        self._locations = _compiled(options.locations)
        self._paths = _compiled(options.cookie_paths)
        self._domains = _compiled(options.cookie_domains)
        self._destinations = _compiled(options.destinations)
        self._fields = frozenset(name.encode() for name in options.fields)

    def request_head(self, context: Context) -> None:
        """Edit the Destination of the request."""
        request = context.request
        value = request.headers.get(b"destination") if request.method in DESTINATION_METHODS else None
        if self._destinations and value is not None:
            request.headers.set(b"Destination", _edit(self._destinations, request)(value))

    def response_head(self, context: Context) -> None:
        """Edit the references and cookies of the response."""
        response, request = context.response, context.request
        if response is None or not has_locations(response.headers):
            return
        path = _edit(self._paths, request)
        edits = LocationEdits(
            _edit(self._locations, request),
            lambda _, value: path(value),
            _edit(self._domains, request),
            self._fields,
        )
        edits.apply(response.headers)


Apply = Callable[[bytes], bytes | None]
"""Returns the value that a rule makes of another, None if the rule does not match."""


def _compiled(rules: Sequence[RewriteRule]) -> tuple[Apply, ...]:
    return tuple(_by_prefix(rule) if rule.prefix is not None else _by_regex(rule) for rule in rules)


def _by_prefix(rule: RewriteRule) -> Apply:
    prefix, replace = (rule.prefix or "").encode(), rule.replace.encode()
    return lambda value: replace + value[len(prefix) :] if value.startswith(prefix) else None


def _by_regex(rule: RewriteRule) -> Apply:
    pattern, replacement = BytesPattern(rule.regex or ""), BytesReplacement(rule.regex or "", rule.replace)

    def apply(value: bytes) -> bytes | None:
        try:
            return replacement.apply(value) if pattern.found_in(value) else None
        except ValueError:  # too many matches
            return value

    return apply


def _edit(rules: Sequence[Apply], request: Request) -> Callable[[bytes], bytes]:
    """Return what applies the first rule that matches, with the placeholders filled in for `request`."""

    def edit(value: bytes) -> bytes:
        for rule in rules:
            made = rule(value)
            if made is not None:
                host = request.authority.encode()
                return made.replace(b"{scheme}", request.scheme.encode()).replace(b"{host}", host)
        return value

    return edit
