"""The text of a set's file: a network or an address on each line. No I/O."""

from __future__ import annotations

from ipaddress import ip_network

from adc.firewall.prefixes import Network

MAX_BYTES = 64 << 20
"""Larger files are refused."""


class BadSet(ValueError):
    """The text of a set cannot be used; the message begins with file and line."""


def parse_set(text: bytes, file: str) -> tuple[Network, ...]:
    """Return the networks in `text`. Empty lines, and what follows `#` or `;`, are comments. Raises BadSet."""
    if len(text) > MAX_BYTES:
        raise BadSet(f"{file}: larger than {MAX_BYTES >> 20}MB")
    networks: list[Network] = []
    for number, line in enumerate(text.splitlines(), 1):
        word = line.partition(b"#")[0].partition(b";")[0].strip().decode("utf-8", "backslashreplace")
        if word:
            try:
                networks.append(ip_network(word.strip("\ufeff")))
            except ValueError as error:
                shown = str(error) if len(word) <= 60 else "not a network"
                raise BadSet(f"{file}:{number}: {shown}") from None
    return tuple(networks)
