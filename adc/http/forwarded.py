"""Who the client is behind other proxies, and how we tell the next hop (X-Forwarded-For, RFC 7239)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adc.http.networks import Networks, parse_address

_MOST_HOPS = 64
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NODE = re.compile(r'"?(?:\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}|([0-9A-Fa-f:.]+))"?')
_UNQUOTABLE = re.compile(r"[^\t -~]")


def client_address(peer: str, values: Sequence[bytes], trusted: Networks) -> str:
    """The address of the client: the nearest hop that is not one of ours.

    `peer` is the address of the socket, `values` are the X-Forwarded-For lines in order. A hop is believed
    only if every hop nearer to us, the peer included, is in `trusted`; what is no address ends the walk. At
    most 64 hops are read.
    """
    address = peer
    if not values or not trusted.contains(peer):
        return address
    for hop in _hops_from_the_right(values):
        found = hop_address(hop)
        if found is None:
            break
        address = found
        if not trusted.contains(address):
            break
    return address


def hop_address(text: str) -> str | None:
    """The address in one element of X-Forwarded-For, in its canonical form; None if there is none.

    A port, brackets and quotation marks around it are dropped.
    """
    match = _NODE.fullmatch(text.strip(" \t"))
    if match is None:
        return None
    address = parse_address(match[1] or match[2] or match[3])
    return None if address is None else str(address)


def bracketed(address: str) -> str:
    """`address` as the host of a URI or authority: IPv6 in brackets."""
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def forwarded_element(for_address: str, *, by: str = "", host: str = "", proto: str = "") -> bytes:
    """One element of Forwarded (RFC 7239 section 4): who asked us, on which of our addresses, for which host.

    What is no address is told as `unknown`; empty arguments are left out.
    """
    pairs = [("for", _node(for_address))]
    if by:
        pairs.append(("by", _node(by)))
    if host:
        pairs.append(("host", host))
    if proto:
        pairs.append(("proto", proto))
    return ";".join(f"{name}={_value(value)}" for name, value in pairs).encode("ascii")


def _hops_from_the_right(values: Sequence[bytes]) -> list[str]:
    hops: list[str] = []
    for value in reversed(values):
        room = _MOST_HOPS - len(hops)
        if room <= 0:
            break
        hops += reversed(value.decode("latin-1").rsplit(",", room)[-room:])
    return hops


def _node(address: str) -> str:
    parsed = parse_address(address)
    return "unknown" if parsed is None else bracketed(str(parsed))


def _value(text: str) -> str:
    if _TOKEN.fullmatch(text):
        return text
    clean = _UNQUOTABLE.sub("", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{clean}"'
