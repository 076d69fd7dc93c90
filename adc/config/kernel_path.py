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
    for place, listener in enumerate(config.listeners):
        if listener.datapath.engine != "kernel":
            continue
        yield from _of_binds(("listeners", place, "bind"), listener)
        pool = config.pools.get(listener.pool or "")
        if pool is not None:
            yield from _of_pool(("pools", listener.pool or ""), pool, listener)


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


def _of_binds(at: Path, listener: Listener) -> Iterator[Finding]:
    for number, address in enumerate(listener.bind):
        if address.path or not address.port:
            yield (*at, number), f"datapath: kernel needs an IP address and a port, not {quote(address.text)}"


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
        if not _is_literal(member.address):
            yield (
                (*at, "members", number),
                f"the kernel needs an IP address and a port, not {quote(member.address.text)}{suffix}",
            )


def _is_literal(address: Address) -> bool:
    try:
        ipaddress.ip_address(address.host)
    except ValueError:
        return False
    return True
