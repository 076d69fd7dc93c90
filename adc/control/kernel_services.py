"""From a configuration and the state of members to what the kernel forwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from adc.config.model.balance import ConsistentHash
from adc.control.kernel_expiry import unable
from adc.control.settings import layout_of
from adc.firewall.nftables.rules import Guarded
from adc.firewall.nftables.service import AT_RANDOM, BY_SOURCE, IN_TURN, Service, Target, Times

if TYPE_CHECKING:
    from adc.config import Config
    from adc.config.model.listeners import Listener
    from adc.config.model.pools import Member, Pool

Finding = tuple[tuple[str | int, ...], str]

Standing = Callable[[str, str], tuple[bool, bool]]
"""Pool and member -> True if its checks do not fail, True if the operator lets it have new flows."""

MOST_FORMER = 64
"""Services of earlier configurations whose flows are still known."""

_TRACKED = ("tcp", "udp", "smtp")
"""Protocols whose flows are in the session table."""

_FORWARDING = {4: "net/ipv4/ip_forward", 6: "net/ipv6/conf/all/forwarding"}
_SYSCTLS = Path("/proc/sys")


def kernel_listeners(config: Config) -> frozenset[str]:
    """Return the names of the listeners that have the kernel as their data path."""
    return frozenset(listener.name for listener in config.listeners if listener.datapath.engine == "kernel")


def services_of(config: Config, standing: Standing) -> tuple[Service, ...]:
    """Return the listeners that the kernel serves. Raises BindError for an address that does not resolve."""
    guarded = uses_engine(config)
    layout = layout_of(config) if guarded or kernel_listeners(config) else {}
    found = []
    for listener in config.listeners:
        addresses = tuple(
            (each.host, each.port) for each in layout.get(listener.name, ()) if each.kind != "unix"
        )
        if listener.datapath.engine == "kernel":
            found.append(_forwarding(config, listener, addresses, standing))
        elif guarded and listener.protocol in _TRACKED and addresses:
            found.append(_tracked(config, listener, addresses))
    return tuple(found)


def uses_engine(config: Config) -> bool:
    """True if the kernel decides by the rules of the firewall."""
    return config.firewall is not None and config.firewall.engine == "nftables"


def guarded_by(config: Config) -> tuple[Guarded, ...]:
    """Return the listeners as the firewall's rules see them. Raises BindError."""
    layout = layout_of(config)
    return tuple(
        Guarded(
            listener.name,
            "udp" if listener.protocol == "udp" else "tcp",
            tuple(
                (each.host, each.port) for each in layout[listener.name] if each.kind != "unix" and each.port
            ),
            listener.datapath.engine == "kernel",
        )
        for listener in config.listeners
    )


def departed(
    before: tuple[Service, ...], former: tuple[Service, ...], now: tuple[Service, ...]
) -> tuple[Service, ...]:
    """Return services and members of earlier configurations, newest first: their flows may go on."""
    serving = [replace(each, targets=()) for each in now]
    found = dict.fromkeys(replace(each, targets=()) for each in (*before, *former) if each.forwards)
    return tuple(each for each in found if each not in serving)[:MOST_FORMER]


def _tracked(config: Config, listener: Listener, addresses: tuple[tuple[str, int], ...]) -> Service:
    """Return a listener that workers serve: the kernel remembers its flows for as long as they do."""
    protocol = "udp" if listener.protocol == "udp" else "tcp"
    pick_up, resets = _unknown(config, listener)
    times = _times(config, listener)
    return Service(
        listener.name,
        protocol,
        addresses,
        (),
        (),
        pick_up=pick_up,
        resets=resets,
        times=times,
        forwards=False,
    )


def _unknown(config: Config, listener: Listener) -> tuple[bool, bool]:
    """Return `pick_up` and `resets` of a listener."""
    expiry = listener.sessions.on_expiry if listener.sessions is not None else None
    return config.sessions.on_unknown == "accept", (expiry or config.sessions.on_expiry) == "reset"


def _forwarding(
    config: Config, listener: Listener, addresses: tuple[tuple[str, int], ...], standing: Standing
) -> Service:
    name = listener.pool or ""
    pool = config.pools[name]
    pick_up, resets = _unknown(config, listener)
    return Service(
        listener.name,
        listener.protocol,
        addresses,
        tuple(_target(member) for member in _usable(name, pool, standing)),
        tuple(_target(member) for member in pool.members),
        choice=_choice(pool),
        own_source=listener.datapath.source == "own",
        pick_up=pick_up,
        resets=resets,
        times=_times(config, listener),
    )


def _usable(name: str, pool: Pool, standing: Standing) -> list[Member]:
    """Return the members that receive new flows, by the rules of `adc.pools.pool`: backups, then panic."""
    enabled, healthy = [], []
    for member in pool.members:
        up, wanted = standing(name, member.name or member.address.text)
        if wanted and member.weight:
            enabled.append(member)
            if up:
                healthy.append(member)
    if pool.panic and len(healthy) < ceil(pool.panic * len(enabled)):
        return enabled
    return [member for member in healthy if not member.backup] or healthy


def _target(member: Member) -> Target:
    return Target(member.address.host, member.address.port, max(1, member.weight))


def _choice(pool: Pool) -> str:
    if isinstance(pool.balance, ConsistentHash):
        return BY_SOURCE
    return AT_RANDOM if pool.balance.algorithm == "random" else IN_TURN


def _times(config: Config, listener: Listener) -> Times:
    """Return the idle times of the listener: its own where it has some."""
    times, own = config.sessions.timeouts, listener.sessions and listener.sessions.timeouts
    values = [(own and getattr(own, name)) or getattr(times, name) for name in Times.__slots__]
    return Times(*values)


def unready(config: Config) -> Iterator[Finding]:
    """Yield settings of this machine without which the kernel would not forward, with the command that changes them.

    adc changes none of them: they count for all programs of the machine.
    """
    for place, listener in enumerate(config.listeners):
        if listener.datapath.engine != "kernel":
            continue
        pool = config.pools[listener.pool or ""]
        at = ("listeners", place, "datapath")
        families = {
            6 if ":" in member.address.host else 4
            for member in pool.members
            if not _is_loopback(member.address.host)
        }
        for family in sorted(families):
            if _setting(_FORWARDING[family]) == "0":
                yield (
                    at,
                    f"the kernel does not forward; run: sysctl -w {_FORWARDING[family].replace('/', '.')}=1",
                )
        local = any(_is_loopback(address.host) for address in listener.bind)
        if local and 4 in families and _setting("net/ipv4/conf/all/route_localnet") == "0":
            yield (
                at,
                (
                    "replies of members to clients on 127.0.0.1 would be dropped; listen on another address, or run: "
                    "sysctl -w net.ipv4.conf.all.route_localnet=1"
                ),
            )
        if listener.protocol == "tcp" and _unknown(config, listener)[1] and (reason := _cannot_reset()):
            yield at, f"ends of expired flows are not told until they send: {reason}"
        if config.sessions.on_unknown == "accept" and _setting("net/netfilter/nf_conntrack_tcp_loose") == "0":
            yield (
                at,
                (
                    "on_unknown: accept needs the kernel to pick up segments; run: "
                    "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1"
                ),
            )


def _cannot_reset() -> str | None:
    """Return why the kernel or this process cannot reset both ends of an expired flow."""
    if _setting("net/netfilter/nf_conntrack_events") == "0":
        return "the kernel does not report them; run: sysctl -w net.netfilter.nf_conntrack_events=1"
    return unable()


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in ("::1", "localhost")


def _setting(name: str) -> str | None:
    """Return a setting of the kernel, None if it has none of that name."""
    try:
        return (_SYSCTLS / name).read_text().strip()
    except OSError:
        return None
