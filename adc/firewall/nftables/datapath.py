"""Rules that forward a listener's flows to its members: translation, times, and segments of unknown flows.

A packet of a client passes `arrive` (before translation), then `nat_in`; one of a program on this machine passes
`depart` and `nat_local`. Connection tracking translates all further packets of a flow, so a member that leaves the map
keeps its flows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from adc.firewall.nftables.service import ANY4, ANY6, AT_RANDOM, BY_SOURCE, Service, family_of, seconds
from adc.firewall.nftables.slots import slots_of
from adc.firewall.nftables.table import Table

BASE_CHAINS = {
    "untracked": "type filter hook output priority raw; policy accept;",
    "arrive": "type filter hook prerouting priority mangle; policy accept;",
    "depart": "type filter hook output priority mangle; policy accept;",
    "nat_in": "type nat hook prerouting priority dstnat; policy accept;",
    "nat_local": "type nat hook output priority -100; policy accept;",
    "nat_out": "type nat hook postrouting priority srcnat; policy accept;",
}

PROBE_MARK = 0x61646370
"""Mark of the segments that adc sends to the ends of a flow whose entry is gone: they must not open another."""

UNKNOWN = "ct state { new, invalid } tcp flags & (syn | rst | ack) == ack"
"""A TCP segment of an end that takes its connection as open, without an entry."""

MID_FLOW = "ct state new tcp flags & (fin | syn | rst | ack) != syn"
"""A TCP segment that belongs to no entry and opens none by the protocol."""

PROBED_SECONDS = 10
"""Time in which an end that was probed is answered with RST."""

MOST_PROBED = 65_536

_IP = {4: "ip", 6: "ip6"}
_ANY = {4: ANY4, 6: ANY6}


def add_services(table: Table, services: tuple[Service, ...]) -> None:
    """Have the rules of `services` in the table. Flows of listeners that are gone need the chains of translation."""
    table.keep("ct timeout")  # a flow whose object is deleted lives for the kernel's five days
    for chain, definition in BASE_CHAINS.items():
        table.add("chain", chain, definition)
    _add_probes(table)
    for service in services:
        _add(table, service)


def _add_probes(table: Table) -> None:
    """Have the rules about probes: what an end answers to one belongs to no flow and is answered with RST.

    The kernel itself remembers which ends were probed, when it sees the probe leave.
    """
    for family, ip in _IP.items():
        near, far = f"{ip} saddr . tcp sport", f"{ip} daddr . tcp dport"
        name = f"probed{family}"
        lifetime = f"size {MOST_PROBED}; flags dynamic,timeout; timeout {PROBED_SECONDS}s;"
        table.add("set", name, f"typeof {near} . {far}; {lifetime}")
        probe = f"meta mark {PROBE_MARK:#x} meta nfproto ipv{family}"
        table.rule("untracked", f"{probe} notrack")  # also when the set is full, which ends a rule
        table.rule("untracked", f"{probe} update @{name} {{ {far} . {near} }}")
        for hook in ("arrive", "depart"):
            table.rule(hook, f"{UNKNOWN} {near} . {far} @{name} reject with tcp reset")


def update(table: str, service: Service) -> tuple[str, dict[str, bytes]]:
    """Return the transaction that has new flows of `service` go to its targets as they are now, and digests of the
    elements that its maps then have."""
    changed = Table(table)
    _add(changed, service)
    maps = maps_of(service)
    text = changed.updating([_entry(service), _exit(service)], maps)
    return text, {name: digest for name, digest in changed.contents().items() if name in maps}


def maps_of(service: Service) -> list[str]:
    """Return the names of the maps of members of a service."""
    return [_map(service, family) for family in service.families] if service.forwards else []


def _add(table: Table, service: Service) -> None:
    entry, translate = _entry(service), _exit(service)
    table.add("chain", entry)
    if not service.forwards:
        _add_tracking(table, service)
        return
    table.add("chain", translate)
    for place in places(service.addresses, service.protocol):
        for hook, chain in (
            ("arrive", entry),
            ("depart", entry),
            ("nat_in", translate),
            ("nat_local", translate),
        ):
            table.rule(hook, f"{place} jump {chain}")
    for family in service.families:
        _add_map(table, service, family)
        _add_members(table, service, family)
    for rule in _entry_rules(table, service):
        table.rule(entry, rule)


def _add_tracking(table: Table, service: Service) -> None:
    """Have the rules about flows that workers serve."""
    for place in places(service.addresses, service.protocol):
        table.rule("arrive", f"{place} jump {_entry(service)}")
    for rule in _entry_rules(table, service):
        table.rule(_entry(service), rule)


def _add_map(table: Table, service: Service, family: int) -> None:
    """Have the map of one family, and the rule that translates by it."""
    name, ip = _map(service, family), _IP[family]
    slots = slots_of([target for target in service.targets if target.family == family], service.choice)
    table.add("map", name, f"typeof numgen inc mod 65536 : {ip} daddr . {service.protocol} dport;")
    table.fill(name, (f"{slot} : {target.key}" for slot, target in enumerate(slots)))
    if slots:
        draw = _draw(service, ip, len(slots))
        match = f"meta nfproto ipv{family} meta l4proto {service.protocol}"
        table.rule(_exit(service), f"{match} dnat {ip} to {draw} map @{name}")


def _draw(service: Service, ip: str, slots: int) -> str:
    if service.choice == BY_SOURCE:
        return f"jhash {ip} saddr mod {slots} seed 0x616463"
    return f"numgen {'random' if service.choice == AT_RANDOM else 'inc'} mod {slots}"


def _entry_rules(table: Table, service: Service) -> Iterator[str]:
    """Yield the rules for packets to the listener's address, as the client wrote it."""
    if service.protocol == "tcp" and not service.pick_up:
        yield f"{MID_FLOW} {_refusal(service)}"
    for family in service.families:
        served = not service.forwards or any(target.family == family for target in service.targets)
        if not served:
            yield f"meta nfproto ipv{family} ct state new {_unserved(service)}"
        else:
            yield f'meta nfproto ipv{family} ct state new ct timeout set "{_times(table, service, family)}"'


def _refusal(service: Service) -> str:
    return "reject with tcp reset" if service.resets else "drop"


def _unserved(service: Service) -> str:
    return "reject with tcp reset" if service.protocol == "tcp" else "reject with icmpx type port-unreachable"


def _add_members(table: Table, service: Service, family: int) -> None:
    """Have the rules for packets to and from members of one family, those that are down included."""
    members = [member for member in service.members if member.family == family]
    if not members:
        return
    name, ip, protocol = f"all_of_{service.name}_{family}", _IP[family], service.protocol
    table.add("set", name, f"typeof {ip} daddr . {protocol} dport;")
    table.fill(name, dict.fromkeys(member.key for member in members))
    if service.own_source:
        for port in dict.fromkeys(port for host, port in service.addresses if family_of(host) == family):
            to_member = f"{ip} daddr . {protocol} dport @{name}"
            table.rule("nat_out", f"{to_member} ct status dnat ct original proto-dst {port} masquerade")
    elif protocol == "tcp" and not service.pick_up:
        from_member = f"{ip} saddr . tcp sport @{name} fib daddr type != local"
        table.rule("arrive", f"{from_member} {MID_FLOW} {_refusal(service)}")


def _times(table: Table, service: Service, family: int) -> str:
    """Have the object with the service's times; its name says them, because a kernel object keeps its own."""
    times = service.times
    if service.protocol == "tcp":
        idle, half = seconds(times.tcp), seconds(times.tcp_half_closed)
        policy = (
            f"established : {idle}, unack : {idle}, retrans : {idle}, fin_wait : {half}, close_wait : {half}"
        )
        name = f"tcp{family}_{idle}_{half}"
    else:
        new, stream = seconds(times.udp), seconds(times.udp_stream)
        policy = f"unreplied : {new}, replied : {stream}"
        name = f"udp{family}_{new}_{stream}"
    table.add(
        "ct timeout", name, f"protocol {service.protocol}; l3proto {_IP[family]}; policy = {{ {policy} }};"
    )
    return name


def places(addresses: Iterable[tuple[str, int]], protocol: str, *, groups: bool = False) -> Iterator[str]:
    """Yield a match for each address of a listener.

    A UDP socket on all addresses also receives what is sent to a group or to all hosts of a network: `groups` matches
    that too.
    """
    own = "{ local, broadcast, anycast, multicast }" if groups and protocol == "udp" else "local"
    for host, port in addresses:
        family = family_of(host)
        if host == _ANY[family]:
            where = f"meta nfproto ipv{family} fib daddr type {own}"
        else:
            where = f"{_IP[family]} daddr {host.partition('%')[0]}"
        yield f"{where} {protocol} dport {port}"


def _entry(service: Service) -> str:
    return f"enter_{service.name}"


def _exit(service: Service) -> str:
    return f"to_{service.name}"


def _map(service: Service, family: int) -> str:
    return f"members_of_{service.name}_{family}"
