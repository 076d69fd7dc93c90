"""Host patterns: of the Host field and of a TLS server name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adc.http.target import parse_host
from adc.routing.values import Exact, Regex


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Any name below `domain`, at any depth, but not `domain` itself."""

    domain: str

    def accepts(self, host: str) -> bool:
        return host.endswith(f".{self.domain}") and len(host) > len(self.domain) + 1

    def __str__(self) -> str:
        return f"*.{self.domain}"


HostRule = Exact | Wildcard | Regex


def host_rule(text: str) -> Exact | Wildcard:
    """Return a rule: `www.example.com` is exact, `*.example.com` a wildcard; case does not count, names may be
    Unicode.

    A `Regex` is searched in the lower-case host without port. Raises `ValueError`.
    """
    if text.startswith("*."):
        return Wildcard(_plain_host(text[2:]))
    return Exact(_plain_host(text))


def _plain_host(text: str) -> str:
    if ":" in text and not (text.startswith("[") and text.endswith("]")):
        raise ValueError("a host pattern has no port; bind a listener to choose the port")
    return parse_host(text if text.isascii() else text.encode("idna").decode("ascii"))


def any_host(rules: Sequence[HostRule], host: str) -> bool:
    """True if one of `rules` accepts `host`."""
    return any(rule.accepts(host) for rule in rules)
