"""Filter of sessions by what they have in common."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from adc.sessions.ended import Ended
from adc.sessions.row import address_text
from adc.sessions.session import STATES, Session

PROTOCOLS = ("tcp", "udp", "smtp", "http")

_Network = IPv4Network | IPv6Network


class FlowFilter:
    """Matches sessions by every condition given; an empty text and None match all.

    `client` is an address, a network, an address with its port, or a path; `idle` is the minimum time without activity
    in seconds. Raises ValueError for a state or protocol that does not exist, and for what no client can be.
    """

    def __init__(
        self,
        protocol: str = "",
        listener: str = "",
        pool: str = "",
        member: str = "",
        client: str = "",
        state: str = "",
        idle: float | None = None,
    ) -> None:
        if protocol and protocol not in PROTOCOLS:
            raise ValueError(f"unknown protocol {protocol!r}; use one of {', '.join(PROTOCOLS)}")
        if state and state not in STATES:
            raise ValueError(f"unknown state {state!r}; use one of {', '.join(STATES)}")
        self._protocol = protocol
        self._listener = listener
        self._pool = pool
        self._member = member
        self._state = STATES.index(state) if state else -1
        self._idle = idle
        self._client = client
        self._network = _network(client)
        if client and self._network is None and not _is_end(client):
            allowed = "use an address, a network such as 192.0.2.0/24, or an address with its port"
            raise ValueError(f"unknown client {client!r}; {allowed}")

    def matches(self, each: Session | Ended, now: float) -> bool:
        """True if a session passes the filter at the monotonic time `now`."""
        return (
            (not self._protocol or each.protocol == self._protocol)
            and (not self._listener or each.listener == self._listener)
            and (not self._pool or each.pool == self._pool)
            and (not self._member or each.member == self._member)
            and self._state in (-1, each.state)
            and (self._idle is None or now - each.last >= self._idle)
            and (not self._client or self._of_client(each))
        )

    def _of_client(self, each: Session | Ended) -> bool:
        if self._network is None:
            return address_text(each.client) == self._client
        if not isinstance(each.client, tuple):
            return False
        try:
            address = _plain(ip_address(str(each.client[0]).partition("%")[0]))
        except ValueError:
            return False
        return address in self._network


def _network(client: str) -> _Network | None:
    """Return the network that `client` names, None if it is something else."""
    try:
        return ip_network(client, strict=False) if client else None
    except ValueError:
        return None


def _is_end(client: str) -> bool:
    """True if `client` is an address with its port, the path of a unix socket, or "-" for a client without one."""
    if client == "-" or client.startswith("/"):
        return True
    host, _, port = client.rpartition(":")
    bracketed = host[1:-1] if host.startswith("[") and host.endswith("]") else ""
    try:
        version = ip_address(bracketed or host).version
    except ValueError:
        return False
    return port.isdecimal() and int(port) < 1 << 16 and (version == 6) == bool(bracketed)


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return an IPv4 address that was written as an IPv6 one as it is."""
    return getattr(address, "ipv4_mapped", None) or address
