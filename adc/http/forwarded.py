"""The client's address behind other proxies, and its announcement to the next hop (X-Forwarded-For, RFC 7239)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from adc.http.fields import elements
from adc.http.networks import Networks, parse_address

_MOST_HOPS = 64
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NODE = re.compile(r'"?(?:\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}|([0-9A-Fa-f:.]+))"?')
_UNQUOTABLE = re.compile(r"[^\t -~]")


def client_address(peer: str, values: Sequence[bytes], trusted: Networks) -> str:
    """Return the address of the client: the nearest hop that is no trusted proxy.

    `peer` is the address of the socket, `values` are the X-Forwarded-For lines in order. A hop counts only if every
    nearer hop, the peer included, is in `trusted`; an invalid address ends the walk. At most 64 hops are read.
    """
    return _walk(peer, values, trusted)[0]


def client_scheme(peer: str, addresses: Sequence[bytes], schemes: bytes, trusted: Networks) -> str | None:
    """Return the scheme that the client used by X-Forwarded-Proto, `http` or `https`; None if it is not known.

    `addresses` are the X-Forwarded-For lines, `schemes` the X-Forwarded-Proto lines, joined. Proxies that list
    schemes do so hop by hop as they list addresses, so the client's is as far from the end as its address is.
    """
    listed = elements(schemes)
    if not listed or not trusted.contains(peer):
        return None
    hops = _walk(peer, addresses, trusted)[1]
    scheme = listed[max(len(listed) - max(hops, 1), 0)].lower()
    return scheme.decode("ascii") if scheme in (b"http", b"https") else None


def _walk(peer: str, values: Sequence[bytes], trusted: Networks) -> tuple[str, int]:
    """Return the client's address, and the number of trusted hops."""
    address, hops = peer, 0
    if not values or not trusted.contains(peer):
        return address, hops
    for hop in reversed(elements(b",".join(values))[-_MOST_HOPS:]):
        found = hop_address(hop.decode("latin-1"))
        if found is None:
            break
        address = found
        hops += 1
        if not trusted.contains(address):
            break
    return address, hops


def hop_address(text: str) -> str | None:
    """Return the address in one element of X-Forwarded-For, in its canonical form; None if there is none.

    A port, brackets and quotation marks around it are dropped.
    """
    match = _NODE.fullmatch(text.strip(" \t"))
    if match is None:
        return None
    address = parse_address(match[1] or match[2] or match[3])
    return None if address is None else str(address)


def bracketed(address: str) -> str:
    """Return `address` as the host of a URI or authority: IPv6 in brackets."""
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def forwarded_element(for_address: str, *, by: str = "", host: str = "", proto: str = "") -> bytes:
    """Return one element of Forwarded (RFC 7239 section 4): the peer, the local address, and the host.

    An invalid address becomes `unknown`; empty arguments are omitted.
    """
    pairs = [("for", _node(for_address))]
    if by:
        pairs.append(("by", _node(by)))
    if host:
        pairs.append(("host", host))
    if proto:
        pairs.append(("proto", proto))
    return ";".join(f"{name}={_value(value)}" for name, value in pairs).encode("ascii")


def _node(address: str) -> str:
    parsed = parse_address(address)
    return "unknown" if parsed is None else bracketed(str(parsed))


def _value(text: str) -> str:
    if _TOKEN.fullmatch(text):
        return text
    clean = _UNQUOTABLE.sub("", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{clean}"'
