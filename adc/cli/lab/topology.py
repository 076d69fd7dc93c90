"""Builds and removes the networks of the laboratory: namespaces, cables between them, addresses and routes.

`one_device`: client --front-- adc --back-- m1, m2. The client and the members route through the device.
`two_devices`: client --front-- a and b --back-- m1, m2. Both devices own `SERVICE`, and each packet of the client
takes the device that its socket names (`through`).
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from adc.cli.lab.namespace import Namespace, names, run

PREFIX = "adclab"
SERVICE = "10.71.9.1"
STORE = "10.71.2.1"
_FRONT, _BACK, _FRONT6, _BACK6 = "10.71.1", "10.71.2", "fd71:1::", "fd71:2::"
_SYSCTLS = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/all/accept_dad": "0",
    "ipv6/conf/default/accept_dad": "0",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/ping_group_range": "0 0",
}
_numbers = itertools.count(1)


class Network:
    """Namespaces by role, and the IPv4 addresses of their interfaces: `net.client`, `net.address("m1")`."""

    def __init__(self, roles: tuple[str, ...], devices: tuple[str, ...]) -> None:
        prefix = f"{PREFIX}-{os.getpid()}-{next(_numbers)}"
        self.namespaces = {role: Namespace(role, f"{prefix}-{role}") for role in roles}
        self.devices = devices
        self.addresses: dict[str, tuple[str, str]] = {}

    def __getitem__(self, role: str) -> Namespace:
        return self.namespaces[role]

    @property
    def client(self) -> Namespace:
        """Return the client's namespace."""
        return self["client"]

    @property
    def adc(self) -> Namespace:
        """Return the namespace of the (first) device."""
        return self[self.devices[0]]

    @property
    def members(self) -> tuple[Namespace, Namespace]:
        """Return the namespaces of both members."""
        return self["m1"], self["m2"]

    def address(self, role: str, side: str = "") -> str:
        """Return an IPv4 address of a role; `side` ("front" or "back") chooses one of a device's two."""
        front, back = self.addresses[role]
        return back if side == "back" or not front else front

    def address6(self, role: str, side: str = "") -> str:
        """Return the IPv6 address that belongs to `address`."""
        address = self.address(role, side)
        number = address.rpartition(".")[2]
        return (_FRONT6 if address.startswith(f"{_FRONT}.") else _BACK6) + number

    def through(self, sender: socket.socket, device: str) -> None:
        """Have all further packets of a client's socket to `SERVICE` take a device of `two_devices`."""
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 1 + self.devices.index(device))


def why_not() -> str | None:
    """Return why networks cannot be built here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    return None if shutil.which("ip") else 'no command "ip"; install iproute2'


@contextmanager
def one_device() -> Iterator[Network]:
    """Build client, adc and the members m1 and m2, with IPv4 and IPv6. Raises RuntimeError if `ip` fails."""
    network = Network(("client", "adc", "m1", "m2"), ("adc",))
    client, adc, m1, m2 = network.namespaces.values()
    network.addresses = _addresses({"client": (2, 0), "adc": (1, 1), "m1": (0, 21), "m2": (0, 22)})
    cables = [(client, "front", adc, "front"), (m1, "back", adc, "port1"), (m2, "back", adc, "port2")]
    with _built(network, cables):
        adc.configure("link add back type bridge mcast_snooping 0", *_ports("back", "port1", "port2"))
        for space in network.namespaces.values():
            space.configure(*_interfaces(network, space.role), *_default_routes(network, space.role))
        yield network


@contextmanager
def two_devices() -> Iterator[Network]:
    """Build client, the devices a and b, and the members m1 and m2; `STORE` is an address for a Redis in `switch`."""
    network = Network(("client", "a", "b", "m1", "m2", "switch"), ("a", "b"))
    switch = network["switch"]
    network.addresses = _addresses(
        {"client": (2, 0), "a": (11, 11), "b": (12, 12), "m1": (0, 21), "m2": (0, 22), "switch": (0, 1)}
    )
    fronts, backs = ("client", "a", "b"), ("a", "b", "m1", "m2")
    cables = [(network[role], "front", switch, f"front-{role}") for role in fronts]
    cables += [(network[role], "back", switch, f"back-{role}") for role in backs]
    with _built(network, cables):
        switch.configure(
            *(
                "link add front type bridge mcast_snooping 0",
                "link add back type bridge mcast_snooping 0",
                "link set front up",
            ),
            *_ports("front", *(f"front-{role}" for role in fronts)),
            *_ports("back", *(f"back-{role}" for role in backs)),
        )
        for space in network.namespaces.values():
            space.configure(*_interfaces(network, space.role), *_routes_of_two(network, space.role))
        yield network


@contextmanager
def _built(network: Network, cables: list[tuple[Namespace, str, Namespace, str]]) -> Iterator[None]:
    _remove_abandoned()
    spaces = network.namespaces.values()
    lines = [
        f"link add {end} netns {near.name} type veth peer name {peer} netns {far.name}"
        for near, end, far, peer in cables
    ]
    try:
        run(("ip", "-batch", "-"), "\n".join(f"netns add {space.name}" for space in spaces))
        for space in spaces:
            space.call(_set_sysctls)
        run(("ip", "-batch", "-"), "\n".join(lines))
        yield
    finally:
        for space in spaces:
            space.stop()
        existing = set(names())
        _remove(space.name for space in spaces if space.name in existing)


def _remove(gone: Iterator[str]) -> None:
    if lines := [f"netns del {name}" for name in gone]:
        run(("ip", "-force", "-batch", "-"), "\n".join(lines))


def _remove_abandoned() -> None:
    """End the processes in namespaces of processes that died without doing so, and remove them."""
    ours = (name for name in names() if name.startswith(f"{PREFIX}-"))
    for name in [name for name in ours if not os.path.exists(f"/proc/{name.split('-')[1]}")]:
        with suppress(RuntimeError, ProcessLookupError):  # another run may do the same now
            for pid in run(("ip", "netns", "pids", name)).split():
                os.kill(int(pid), signal.SIGKILL)
            _remove(iter([name]))


def _set_sysctls() -> None:
    for name, value in _SYSCTLS.items():
        with open(f"/proc/sys/net/{name}", "w") as setting:
            setting.write(value)


def _addresses(numbers: dict[str, tuple[int, int]]) -> dict[str, tuple[str, str]]:
    """Return the addresses (front, back) of each role; "" where it has no such side."""
    return {
        role: (f"{_FRONT}.{front}" if front else "", f"{_BACK}.{back}" if back else "")
        for role, (front, back) in numbers.items()
    }


def _ports(bridge: str, *ports: str) -> list[str]:
    return [f"link set {port} master {bridge} up" for port in ports]


def _interfaces(network: Network, role: str) -> Iterator[str]:
    yield "link set lo up"
    for side, address in zip(("front", "back"), network.addresses[role], strict=True):
        if address:
            yield f"link set {side} up"
            yield f"addr add {address}/24 dev {side}"
            yield f"addr add {network.address6(role, side)}/64 dev {side} nodad"


def _default_routes(network: Network, role: str) -> list[str]:
    if role in network.devices:
        return []
    side = "front" if network.addresses[role][0] else "back"
    near, near6 = network.address(network.devices[0], side), network.address6(network.devices[0], side)
    return [f"route add default via {near}", f"route add ::/0 via {near6}"]


def _routes_of_two(network: Network, role: str) -> list[str]:
    if role in network.devices:
        return [f"addr add {SERVICE}/32 dev lo"]
    if role != "client":
        return _default_routes(network, role) if role != "switch" else []
    lines = [f"route add {SERVICE} via {network.address('a')}"]
    for number, device in enumerate(network.devices, 1):
        lines.append(f"route add {SERVICE} via {network.address(device)} table {100 + number}")
        lines.append(f"rule add fwmark {number} table {100 + number}")
    return lines
