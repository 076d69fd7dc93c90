"""Parameters of MAIL and RCPT, and the extensions that they belong to. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from adc.smtp.replies import Reply, reply_of

_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9\-]*)(?:=([\x21-\x3c\x3e-\x7e]+))?")

MAIL: Final[Mapping[str, str]] = MappingProxyType(
    {"SIZE": "SIZE", "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8", "RET": "DSN", "ENVID": "DSN", "AUTH": "AUTH"}
)
"""Parameters of MAIL by extension."""

RCPT: Final[Mapping[str, str]] = MappingProxyType({"NOTIFY": "DSN", "ORCPT": "DSN"})
"""Parameters of RCPT by extension."""

_MOST = 20


class BadParameters(ValueError):
    """Parameters that are refused with `reply`."""

    def __init__(self, refusal: Reply) -> None:
        super().__init__(refusal.text)
        self.reply = refusal


def parse_parameters(text: str, known: Mapping[str, str], extensions: frozenset[str]) -> dict[str, str]:
    """Return values by upper-case name, "" for none. Raises BadParameters for others than those of `extensions`."""
    found: dict[str, str] = {}
    for word in text.split():
        match = _PARAMETER.fullmatch(word)
        if match is None or match[1].upper() in found or len(found) == _MOST:
            raise BadParameters(reply_of(501, "5.5.4 Malformed parameters"))
        found[match[1].upper()] = match[2] or ""
    for name in found:
        if known.get(name) not in extensions:
            raise BadParameters(reply_of(555, f"5.5.4 Unsupported parameter {name[:40]}"))
    return found


def declared_size(parameters: Mapping[str, str]) -> int | None:
    """Return the declared size of the message, None if there is none. Raises BadParameters."""
    text = parameters.get("SIZE")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise BadParameters(reply_of(501, "5.5.4 SIZE is not a number"))
    return int(text)


def check_mail(parameters: Mapping[str, str]) -> None:
    """Check values of parameters of MAIL that adc acts on. Raises BadParameters."""
    body = parameters.get("BODY", "7BIT").upper()
    if body not in ("7BIT", "8BITMIME"):
        raise BadParameters(reply_of(501, "5.5.4 BODY is 7BIT or 8BITMIME"))
    if parameters.get("SMTPUTF8"):
        raise BadParameters(reply_of(501, "5.5.4 SMTPUTF8 has no value"))


def spelled(parameters: Mapping[str, str], known: Mapping[str, str], offered: frozenset[str]) -> str:
    """Return the parameters for a member that offers these extensions, each after a space.

    A parameter that only describes (SIZE, AUTH) is left out if the member does not know it.
    """
    words = [
        f" {name}={value}" if value else f" {name}"
        for name, value in parameters.items()
        if known[name] in offered
    ]
    return "".join(words)


def missing(parameters: Mapping[str, str], known: Mapping[str, str], offered: frozenset[str]) -> str:
    """Return the extension that a message needs and a member lacks, "" if there is none."""
    for name, value in parameters.items():
        extension = known[name]
        needed = extension in ("SMTPUTF8", "DSN") or (name == "BODY" and value.upper() == "8BITMIME")
        if needed and extension not in offered:
            return extension
    return ""
