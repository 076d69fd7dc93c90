"""Addresses to listen on and to connect to: `host:port`, `[v6]:port`, `unix:/path`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, ValidationInfo, WithJsonSchema

from adc.config.units import quote

_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.%a-z]{2,60})\]|([A-Za-z0-9_.\-]{1,253}|\*|)):([0-9]{1,5})")
_WORDS = "host:port, [v6 address]:port or unix:/path"


@dataclass(frozen=True, slots=True)
class Address:
    """`host` and `port`, or the `path` of a unix socket; `text` is the address as written.

    `host` is empty for "all addresses" (`:8080` or `*:8080`, only where one listens), and without the
    brackets of an IPv6 address. `place` is the position of its text in the list of the file, where ranges of ports
    stand for many addresses.
    """

    text: str
    host: str = ""
    port: int = 0
    path: str = ""
    place: int = field(default=0, compare=False)


def is_private(text: str) -> bool:
    """True if other machines and other users cannot connect to a listener on the address `text`.

    An invalid address counts as private: another check reports it. `localhost` is the only name that counts. An
    abstract unix socket (`unix:@name`) has no permissions.
    """
    try:
        address = _parse(text)
    except ValueError:
        return True
    if address.path:
        return not address.path.startswith("@")
    if address.host == "localhost":
        return True
    try:
        found = ipaddress.ip_address(address.host)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)


def _parse(value: Any) -> Address:
    if isinstance(value, Address):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{quote(value)} is not an address; write {_WORDS}")
    if value.startswith("unix:"):
        return _unix(value)
    found = _HOST_PORT.fullmatch(value)
    if found is None or int(found[3]) > 65535:
        raise ValueError(f"{quote(value)} is not an address; write {_WORDS}, with a port of at most 65535")
    host = found[1] or found[2] or ""
    if found[2] and any(not 0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
        raise ValueError(f"{quote(value)} is not an address; a label of a name has 1 to 63 characters")
    return Address(value, "" if host == "*" else host, int(found[3]))


def _unix(value: str) -> Address:
    path = value.removeprefix("unix:")
    if not path or "\0" in path or len(path.encode("utf-8", "replace")) > 100:
        raise ValueError(f"{quote(value)} is not an address; a unix socket's path has 1 to 100 bytes")
    return Address(value, path=path)


def _absolute(address: Address, info: ValidationInfo) -> Address:
    base = (info.context or {}).get("folder", "")
    if not address.path or not base:
        return address
    path = str(Path(base, address.path).absolute())
    return replace(address, path=path, text=f"unix:{path}")


def _listen(value: Any, info: ValidationInfo) -> Address:
    return _absolute(_parse(value), info)


def _connect(value: Any, info: ValidationInfo) -> Address:
    address = _absolute(_parse(value), info)
    if not address.path and (not address.host or address.port == 0):
        raise ValueError(f"{quote(value)} has no host or no port; write {_WORDS}")
    return address


_PORTS = re.compile(r"(.*):([0-9]{1,5})-([0-9]{1,5})")
MOST_PORTS = 1024
"""Ports of one range: each has a socket, and one more in every worker."""


def listen_addresses(value: Any) -> tuple[Address, ...]:
    """Return the addresses that a text of `bind` stands for; the path of a unix socket stays as written.

    Raises ValueError.
    """
    found = _PORTS.fullmatch(value) if isinstance(value, str) and not value.startswith("unix:") else None
    if found is None:
        return (_parse(value),)
    first, last = int(found[2]), int(found[3])
    if not 0 < first <= last <= 65535:
        raise ValueError(f"{quote(value)} is not a range of ports; write host:FIRST-LAST, from 1 to 65535")
    if last - first >= MOST_PORTS:
        raise ValueError(f"{quote(value)} has {last - first + 1} ports; a range has at most {MOST_PORTS}")
    return tuple(_parse(f"{found[1]}:{port}") for port in range(first, last + 1))


def _listen_range(value: Any, info: ValidationInfo) -> tuple[Address, ...]:
    return tuple(_absolute(address, info) for address in listen_addresses(value))


def _each_port(ranges: Iterable[tuple[Address, ...]]) -> tuple[Address, ...]:
    return tuple(replace(address, place=place) for place, group in enumerate(ranges) for address in group)


_SCHEMA = WithJsonSchema({"type": "string", "description": f"An address: {_WORDS}."})

ListenAddress = Annotated[Address, PlainValidator(_listen), _SCHEMA]
"""An address to listen on. Port 0 lets the kernel choose."""

MemberAddress = Annotated[Address, PlainValidator(_connect), _SCHEMA]
"""An address to connect to."""

ListenRange = Annotated[
    Address,
    PlainValidator(_listen_range),
    WithJsonSchema({"type": "string", "description": f"An address: {_WORDS}; or host:first-last."}),
]
"""An address to listen on, or one for each port of a range. A tuple of them needs EACH_PORT."""

EACH_PORT = AfterValidator(_each_port)
"""Makes one tuple of addresses out of the ranges."""
