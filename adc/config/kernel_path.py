"""Pools and addresses that `datapath: kernel` cannot serve, with what it can."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from adc.config.errors import Path
from adc.config.model.address import Address
from adc.config.model.balance import ConsistentHash
from adc.config.model.config import Config
from adc.config.model.listeners import Listener
from adc.config.model.pools import Pool
from adc.config.units import quote

Finding = tuple[Path, str]

BALANCERS = ("round_robin", "random", "consistent_hash: {key: source}")
"""Balancers that nftables can express."""

MOST_MEMBERS = 256
"""Members of a pool: each needs a share of at least one slot of its map."""


def unsupported(config: Config) -> Iterator[Finding]:
    """Yield what the kernel cannot do for the listeners that ask for it."""
    yield from _unfiltered(config)
    for place, listener in enumerate(config.listeners):
        if listener.datapath.engine != "kernel":
            continue
        pool = config.pools.get(listener.pool or "")
        yield from _of_binds(("listeners", place, "bind"), listener, pool)
        if pool is not None:
            yield from _of_pool(("pools", listener.pool or ""), pool, listener)


def _unfiltered(config: Config) -> Iterator[Finding]:
    """Yield a firewall of the workers beside a listener whose flows they do not see."""
    forwarded = [listener.name for listener in config.listeners if listener.datapath.engine == "kernel"]
    if forwarded and config.firewall is not None and config.firewall.engine == "userspace":
        names = ", ".join(quote(name) for name in forwarded)
        yield (
            ("firewall",),
            f"engine: userspace does not see the flows of {names} (datapath: kernel); write engine: nftables",
        )


def doubtful_expiry(config: Config) -> Iterator[Finding]:
    """Yield what the kernel cannot do for the sessions of its listeners."""
    for place, listener in enumerate(config.listeners):
        if listener.datapath.engine != "kernel":
            continue
        own = listener.sessions.on_expiry if listener.sessions is not None else None
        if (own or config.sessions.on_expiry) == "close" and listener.protocol == "tcp":
            at: Path = ("listeners", place, "sessions", "on_expiry") if own else ("sessions", "on_expiry")
            name = f"listener {quote(listener.name)} has datapath: kernel"
            yield at, f"close acts like silent: the kernel cannot send FIN, only reset; {name}"


def _of_binds(at: Path, listener: Listener, pool: Pool | None) -> Iterator[Finding]:
    """Yield addresses that the kernel cannot listen on, or has no member for: it translates no version of IP."""
    members = set() if pool is None else {_version(member.address) for member in pool.members}
    for number, address in enumerate(listener.bind):
        version = _version(address)
        if address.path or not address.port or "%" in address.host:
            yield (*at, number), f"datapath: kernel needs an IP address and a port, not {quote(address.text)}"
        elif version and members and version not in members:
            yield (
                (*at, number),
                f"{quote(address.text)} is IPv{version}, and no member of {quote(listener.pool)} is",
            )


def _of_pool(at: Path, pool: Pool, listener: Listener) -> Iterator[Finding]:
    suffix = f"; listener {quote(listener.name)} has datapath: kernel"
    balance = pool.balance
    if isinstance(balance, ConsistentHash):
        allowed = balance.key == "source" and (balance.bounded_load or balance.bound) is None
    else:
        allowed = balance.algorithm in BALANCERS
    if not allowed:
        yield (*at, "balance"), f"the kernel can only do {', '.join(BALANCERS)}{suffix}"
    if len(pool.members) > MOST_MEMBERS:
        yield (*at, "members"), f"the kernel can do at most {MOST_MEMBERS} members{suffix}"
    for number, member in enumerate(pool.members):
        if not _is_one_host(member.address):
            yield (
                (*at, "members", number),
                f"the kernel needs the IP address of one host and a port, not {quote(member.address.text)}{suffix}",
            )


def _version(address: Address) -> int:
    """Return 4 or 6; 0 for a name, and for all addresses."""
    try:
        return ipaddress.ip_address(address.host).version
    except ValueError:
        return 0


def _is_one_host(address: Address) -> bool:
    """Return True for an address that a packet can be translated to: no name, zone, group, nor one of IPv4 in IPv6."""
    try:
        found = ipaddress.ip_address(address.host)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and (found.scope_id or found.ipv4_mapped):
        return False
    return not (found.is_unspecified or found.is_multicast or address.host == "255.255.255.255")
