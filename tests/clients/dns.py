"""DNS with dnsmasq and a loop of queries, each from a port of its own."""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Callable
from pathlib import Path
from struct import pack, unpack_from
from typing import Any

from tests.clients.application import Application, Member, Tally, program

CLIENTS = 3
TIMEOUT = 1.0
ZONE = "adc.test"
ADDRESS = "192.0.2.7"


class Dns(Application):
    """Two servers with the same zone."""

    name = "dns"
    protocol = "udp"
    programs = ("dnsmasq",)
    in_flight = CLIENTS * 4

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.members = [Member(folder / name, _command) for name in ("one", "two")]

    def configuration(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        listeners, pools = super().configuration()
        listeners[0]["udp"] = {"responses": 1}
        return listeners, pools

    def ready(self, port: int) -> None:
        ask(port, f"ready.{ZONE}", 0.2)

    def loads(self, tally: Tally) -> list[Callable[[], None]]:
        numbers = itertools.count()
        return [lambda: tally.repeat(lambda: ask(self.port, f"host{next(numbers)}.{ZONE}"))] * CLIENTS


def ask(port: int, name: str, timeout: float = TIMEOUT) -> None:
    """Query an address (RFC 1035 section 4). Raises OSError without a response, AssertionError on a wrong one."""
    number = random.randrange(1 << 16)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + pack("!HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        client.connect(("127.0.0.1", port))
        client.send(query)
        response = client.recv(2048)
    returned, flags, _, answers = unpack_from("!HHHH", response)
    if returned != number or flags & 0x800F != 0x8000 or not answers or labels not in response:
        raise AssertionError(f"not the response of {name}: {response!r}")
    if response[-4:] != socket.inet_aton(ADDRESS):
        raise AssertionError(f"not the address of {name}: {response[-4:]!r}")


def _command(folder: Path, port: int) -> list[str]:
    zone = [f"--address=/{ZONE}/{ADDRESS}", "--no-resolv", "--no-hosts", f"--pid-file={folder / 'pid'}"]
    bound = [
        "--conf-file=/dev/null",
        "--keep-in-foreground",
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
    ]
    return [f"{program('dnsmasq')}", *bound, f"--port={port}", "--user=root", *zone]
