"""Scenarios in which the datagrams of a session take two devices in turn."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from adc.cli.lab.capture import Capture, capture
from adc.cli.lab.entries import adc_table, watched
from adc.cli.lab.node import node, redis, wait_for_other
from adc.cli.lab.scenario import Finding, Scenario
from adc.cli.lab.timeline import FAILURE, Journal, Packets, Timeline
from adc.cli.lab.topology import SERVICE, STORE, Network, two_devices

PORT, MEMBER_PORT = 7000, 7001
CLIENTS, DATAGRAMS = 30, 6
PATIENCE = 0.3
PLACES = ("client", "a", "b", "m1", "m2")
DEVICES = ("a", "b")
_DRAWN = b"client 0,"


class Members:
    """Return each datagram with the name of the member in front, and the number of datagrams of that sender."""

    def __init__(self, network: Network) -> None:
        self._sockets = []
        self._threads = []
        for role in ("m1", "m2"):
            opened = network[role].socket(kind=socket.SOCK_DGRAM)
            opened.bind((network.address(role), MEMBER_PORT))
            opened.settimeout(0.1)
            self._sockets.append(opened)
            self._threads.append(threading.Thread(target=self._serve, args=(opened, role)))
        self._over = threading.Event()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop both."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        for opened in self._sockets:
            opened.close()

    def _serve(self, opened: socket.socket, role: str) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                data, sender = opened.recvfrom(2048)
                opened.sendto(f"{role}: ".encode() + data, sender)


@dataclass
class Counts:
    """Datagrams of all clients."""

    sent: int = 0
    lost: int = 0
    misdelivered: int = 0
    """Datagrams that another member got than the first one of their client."""
    at: Counter[str] = field(default_factory=Counter)


def exchange(network: Network, journal: Journal) -> Counts:
    """Send the datagrams of all clients, each through the device whose turn it is, and count what comes of them."""
    counts = Counts()
    for number in range(CLIENTS):
        with network.client.socket(kind=socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.connect((SERVICE, PORT))
            home = ""
            for turn in range(DATAGRAMS):
                device = DEVICES[(number + turn) % 2]
                network.through(client, device)
                member = _ask(client, f"client {number}, {turn}".encode())
                counts.sent += 1
                counts.at[device] += 1
                home = home or member
                if not member:
                    counts.lost += 1
                    _note(journal, number, f"datagram {turn}: no reply")
                elif member != home:
                    counts.misdelivered += 1
                    _note(journal, number, f"datagram {turn} went to {member}, the session is at {home}")
    return counts


def _note(journal: Journal, client: int, text: str) -> None:
    if client == 0:
        journal.add("client", text, FAILURE)


def _ask(client: socket.socket, data: bytes) -> str:
    """Send a datagram and return the member that replied to it, "" if none did."""
    with suppress(OSError):
        client.send(data)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            member, _, returned = client.recv(2048).partition(b": ")
            if returned == data:
                return member.decode()
    return ""


def run(sessions: dict[str, object], shared: bool, folder: Path) -> Finding:
    """Run both devices and exchange the datagrams. Raises DoesNotStart, RuntimeError."""
    journal = Journal()
    with ExitStack() as stack:
        network = stack.enter_context(two_devices())
        members = Members(network)
        stack.callback(members.close)
        url = stack.enter_context(redis(network["switch"], folder, STORE)) if shared else ""
        paths = [
            stack.enter_context(node(network[role], folder, _configuration(network, role, sessions, url)))
            for role in DEVICES
        ]
        if sessions["on_unknown"] == "redirect":
            for role in DEVICES:
                wait_for_other(network[role])
        captures = [stack.enter_context(capture(network[role])) for role in DEVICES]
        client = network.address("client")
        for role in DEVICES:
            wanted = adc_table(lambda row: row["client"].startswith(f"{client}:"))
            stack.enter_context(watched(network[role], wanted, journal))
        counts = exchange(network, journal)
        configuration = paths[0].read_text()
    facts = {
        "datagrams": f"{counts.sent} of {CLIENTS} clients, {counts.at['a']} through a, {counts.at['b']} through b",
        "lost": f"{counts.lost}",
        "misdelivered": f"{counts.misdelivered}",
    }
    return Finding(facts, _timeline(network, captures, journal), configuration)


def _timeline(network: Network, captures: list[Capture], journal: Journal) -> Timeline:
    """Return the events of the first client."""
    places = {network.address(role): role for role in ("client", "m1", "m2")}
    for role in DEVICES:
        places |= {network.address(role, side): role for side in ("front", "back")}
    events = [event for event in journal.events if event.kind == FAILURE]
    for role, packets in zip(DEVICES, captures, strict=True):
        seen = packets.find(lambda packet: packet.protocol == "udp" and _DRAWN in packet.data)
        events += [
            replace(event, text=f"passed on, {event.text}")
            if event.source in DEVICES and event.target in DEVICES
            else event
            for event in Packets(role, places).events(seen)
            if not (event.source in DEVICES and event.source != role)
        ]
    return Timeline.of(PLACES, events)


def _configuration(
    network: Network, role: str, sessions: dict[str, object], redis_url: str
) -> dict[str, object]:
    members = [f"{network.address(name)}:{MEMBER_PORT}" for name in ("m1", "m2")]
    listener = {"name": "game", "bind": f"{SERVICE}:{PORT}", "protocol": "udp", "pool": "game"}
    data: dict[str, object] = {
        "node": role,
        "sessions": sessions,
        "listeners": [listener],
        "pools": {"game": {"balance": "random", "members": members}},
    }
    if redis_url:
        data["state"] = {"backend": "redis", "url": redis_url}
        data["cluster"] = {
            "name": "lab",
            "advertise": f"{network.address(role, 'back')}:7946",
            "secret": "the secret of the two devices of the laboratory",
            "sync": {"sessions": True, "interval": "100ms"},
        }
    return data


_PATH = "The datagrams of each client take the devices a and b in turn. "

ASYMMETRIC = (
    Scenario(
        "asymmetric-nothing",
        "An asymmetric path, and devices that know nothing of each other",
        _PATH
        + "Each device chooses a member by itself, so some datagrams reach one that does not know the client.",
        partial(run, {"on_unknown": "reject"}, False),
    ),
    Scenario(
        "asymmetric-synchronise",
        "Remedy: synchronise the tables",
        _PATH
        + "The devices share their sessions through Redis; with on_unknown: accept each takes a session over from the "
        "other and keeps its member.",
        partial(run, {"on_unknown": "accept"}, True),
        ("redis-server",),
    ),
    Scenario(
        "asymmetric-redirect",
        "Remedy: redirect to the owner",
        _PATH
        + "A device that does not own the session passes the datagram to the one that does, and the reply goes back by "
        "the device that the client used.",
        partial(run, {"on_unknown": "redirect"}, True),
        ("redis-server",),
    ),
)
