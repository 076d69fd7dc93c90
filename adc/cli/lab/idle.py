"""Scenarios in which an application is silent for longer than the device remembers its flow."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from adc.cli.lab.capture import Capture, capture
from adc.cli.lab.conversation import Client, Server
from adc.cli.lab.entries import adc_table, kernel_table, watched
from adc.cli.lab.node import node
from adc.cli.lab.scenario import Finding, Scenario
from adc.cli.lab.timeline import Journal, Packets, Timeline
from adc.cli.lab.topology import Network, one_device

PORT, MEMBER_PORT = 15432, 5432
PAUSE, PATIENCE = 3.0, 2.0
PLACES = ("client", "adc", "m1")
_SHORT, _LONG = "1s", "10s"


@dataclass(frozen=True, slots=True)
class Device:
    """How the device is configured: its table is the kernel's or the workers'."""

    sessions: dict[str, object]
    kernel: bool = False
    extra: dict[str, object] = field(default_factory=dict)

    def configuration(self, network: Network) -> dict[str, object]:
        """Return the configuration of the node."""
        listener: dict[str, object] = {
            "name": "db",
            "bind": f"{network.address('adc')}:{PORT}",
            "protocol": "tcp",
            "pool": "db",
        }
        if self.kernel:
            listener["datapath"] = "kernel"
        members = {"members": [f"{network.address('m1')}:{MEMBER_PORT}"]}
        return {"sessions": self.sessions, "listeners": [listener], "pools": {"db": members}}


def run(device: Device, folder: Path) -> Finding:
    """Hold the conversation through the device and return what happened. Raises DoesNotStart, RuntimeError."""
    journal = Journal()
    with ExitStack() as stack:
        network = stack.enter_context(one_device())
        adc = network.adc
        server = Server(network["m1"], network.address("m1"), MEMBER_PORT, journal)
        stack.callback(server.close)
        path = stack.enter_context(node(adc, folder, device.configuration(network)))
        look = kernel_table(adc, PORT) if device.kernel else adc_table()
        packets = stack.enter_context(capture(adc))
        with watched(adc, look, journal):
            client = Client(network.client, network.address("adc"), PORT, journal, PAUSE, PATIENCE)
            stack.callback(client.close)
            client.run()
        journal.add("m1", f"connections here: {server.summary}")
        facts, timeline = _facts(client, server), _timeline(network, packets, journal)
        configuration = path.read_text()
    return Finding(facts, timeline, configuration)


def _timeline(network: Network, packets: Capture, journal: Journal) -> Timeline:
    """Return what happened until now. The ports of the bridge would show each packet of the member again."""
    addresses = {network.address("client"): "client", network.address("m1"): "m1"}
    ports = {PORT, MEMBER_PORT}
    seen = packets.find(
        lambda packet: (
            packet.interface in ("front", "back")
            and not ports.isdisjoint((packet.source[1], packet.destination[1]))
        )
    )
    return Timeline.of(PLACES, [*Packets("adc", addresses).events(seen), *journal.events])


def _facts(client: Client, server: Server) -> dict[str, str]:
    first, second = client.answers
    return {
        "first query": _seconds(first),
        f"query after {PAUSE:g} s": _seconds(second),
        "client learns of the end": "never"
        if client.told is None
        else f"{client.told:.1f} s into the silence",
        "connections of the member": server.summary,
    }


def _seconds(answer: float | None) -> str:
    return f"no response within {PATIENCE:g} s" if answer is None else f"answered in {answer * 1000:.0f} ms"


def _timeouts(time: str) -> dict[str, object]:
    return {"tcp": time}


_FORGETS = (
    f"The device forgets a flow that was idle for {_SHORT}; the application is silent for {PAUSE:g} s. "
)

IDLE = (
    Scenario(
        "nothing",
        "The device forgets first, and nobody is told",
        _FORGETS
        + "The kernel drops the segments of the forgotten flow. The client sends the query again and again until it "
        "gives up, and the member keeps a connection that no one will use.",
        partial(run, Device({"timeouts": _timeouts(_SHORT), "on_expiry": "silent"}, kernel=True)),
        ("nft", "conntrack"),
    ),
    Scenario(
        "equal",
        "Remedy: the device remembers as long as the application",
        f"timeouts.tcp is {_LONG}, longer than any silence of the application.",
        partial(run, Device({"timeouts": _timeouts(_LONG), "on_expiry": "silent"}, kernel=True)),
        ("nft", "conntrack"),
    ),
    Scenario(
        "keep-alive",
        "Remedy: keep-alive probes of the device",
        "The device forgets a flow that was idle for 2 s; the application is silent for 3 s. It probes both ends "
        "every second, and each acknowledged probe counts as activity.",
        partial(
            run,
            Device({"timeouts": _timeouts("2s"), "keep_alive": {"client": "1s", "member": "1s"}}),
        ),
    ),
    Scenario(
        "accept",
        "Remedy: accept segments of unknown flows",
        _FORGETS
        + "on_unknown: accept has the kernel make a new entry from a segment in the middle of a flow.",
        partial(
            run,
            Device(
                {"timeouts": _timeouts(_SHORT), "on_expiry": "silent", "on_unknown": "accept"}, kernel=True
            ),
        ),
        ("nft", "conntrack"),
    ),
    Scenario(
        "notify",
        "Remedy: notify both ends",
        _FORGETS
        + "on_expiry: reset tells client and member with RST. The client dials again before its next query.",
        partial(run, Device({"timeouts": _timeouts(_SHORT), "on_expiry": "reset"})),
    ),
)
