"""Addresses that cannot all be listened on: one twice, ranges that overlap, all addresses beside one of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from adc.config.errors import Path
from adc.config.model.address import Address, listen_addresses
from adc.config.model.types import listed
from adc.config.units import quote

Clash = tuple[Path, str, Path]
"""A place, the problem there, and the place of the address before it."""

WILDCARDS: Final = ("0.0.0.0", "::")


class _Wanted(NamedTuple):
    """An address as the file spells it, with its place. `udp` ports are others than those of TCP."""

    path: Path
    text: str
    udp: bool


def clashes(data: Any) -> Iterator[Clash]:
    """Yield addresses of listeners and the admin server that the kernel would refuse beside an earlier one.

    `data` may hold other errors. Host names are compared as text only: `adc.control.preflight` looks them up.
    """
    bound = Bound()
    for wanted in _wanted(data):
        try:
            addresses = listen_addresses(wanted.text)
        except ValueError:
            continue  # reported as a value
        places = (place for each in addresses for place in _sockets(each, wanted.udp))
        clash = next(filter(None, [bound.add(*place, wanted) for place in places]), None)
        if clash is not None:
            yield wanted.path, f"{quote(wanted.text)} {_words(wanted.text, clash.text)}", clash.path


class Bound:
    """Addresses that are listened on, with an owner each."""

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, int], dict[str, Any]] = {}

    def add(self, kind: str, host: str, port: int, owner: Any) -> Any:
        """Add the address `host`, a literal one as the kernel spells it; return the owner of one beside which the
        kernel refuses it, None if there is none. `kind` tells ports apart: the protocol and the family."""
        hosts = self._hosts.setdefault((kind, port), {})
        clash = hosts.get(host)
        if clash is None and port:
            wildcards = hosts if host in WILDCARDS else WILDCARDS
            clash = next((hosts[each] for each in wildcards if each in hosts), None)
        hosts.setdefault(host, owner)
        return clash


def _wanted(data: Any) -> Iterator[_Wanted]:
    if not isinstance(data, dict):
        return
    for place, listener in enumerate(listed(data.get("listeners", []))):
        if isinstance(listener, dict):
            udp = listener.get("protocol") == "udp"
            yield from _texts(("listeners", place, "bind"), listener.get("bind"), udp)
    admin = data.get("admin")
    yield from _texts(("admin", "bind"), admin.get("bind") if isinstance(admin, dict) else admin, False)


def _texts(path: Path, bind: Any, udp: bool) -> Iterator[_Wanted]:
    for place, text in enumerate(listed(bind)):
        if isinstance(text, str):
            yield _Wanted((*path, place), text, udp)


def _sockets(address: Address, udp: bool) -> Iterator[tuple[str, str, int]]:
    """Yield kind, host and port of each socket of an address; none if the kernel chooses the port."""
    if address.path:
        yield "unix", address.path, 0
    elif address.port:
        protocol = "udp" if udp else "tcp"
        for host in [address.host] if address.host else WILDCARDS:
            try:
                literal = ipaddress.ip_address(host)
            except ValueError:
                yield f"{protocol} name", host.lower(), address.port
            else:
                yield f"{protocol}{literal.version}", str(literal), address.port


def _words(text: str, other: str) -> str:
    return (
        "is bound twice" if text == other else f"overlaps {quote(other)}, and an address is listened on once"
    )
