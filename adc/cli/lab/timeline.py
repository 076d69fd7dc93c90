"""What happened in a run, in order: packets, entries of session tables, and what applications noticed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from adc.cli.lab.packets import Packet

PACKET, RESET, REPEATED, PROBE = "packet", "reset", "repeated", "probe"
NOTE, FAILURE, OPENED, CLOSED = "note", "failure", "opened", "closed"
LONGEST = 60
_QUIET = 0.3


@dataclass(frozen=True, slots=True)
class Event:
    """Something at a place, or a packet from one place to another. `kind` is one of the constants above."""

    time: float
    """Seconds since 1970."""
    source: str
    target: str
    text: str
    kind: str

    @property
    def arrow(self) -> bool:
        """True for a packet."""
        return self.source != self.target


class Journal:
    """Collects the events of all threads of a run."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._lock = threading.Lock()

    def add(self, place: str, text: str, kind: str = NOTE, when: float | None = None) -> None:
        """Note that something happened at a place, by default now."""
        with self._lock:
            self.events.append(Event(time.time() if when is None else when, place, place, text, kind))


@dataclass(frozen=True, slots=True)
class Timeline:
    """The events of a run, oldest first. `places` are the columns of its picture, from left to right."""

    places: tuple[str, ...]
    events: tuple[Event, ...]

    @classmethod
    def of(cls, places: tuple[str, ...], events: Iterable[Event]) -> Timeline:
        """Return a timeline of events in any order; those of other places are left out."""
        known = [event for event in events if event.source in places and event.target in places]
        return cls(places, tuple(sorted(known, key=lambda event: event.time)))

    def rows(self) -> list[tuple[float, float, Event]]:
        """Return each event with the seconds since the first one, and since the one before it."""
        start = previous = self.events[0].time if self.events else 0.0
        rows = []
        for event in self.events:
            rows.append((event.time - start, event.time - previous, event))
            previous = event.time
        return rows

    def text(self) -> str:
        """Return a line for each event, and one for each time in which nothing happened."""
        width = max(map(len, self.places))
        lines = []
        for passed, gap, event in self.rows():
            if gap >= _QUIET:
                lines.append(f"{'':7}  {f'({gap:.1f} s)':>{width}}")
            where = f"{event.source:>{width}}"
            if event.arrow:
                where += f" -> {event.target:{width}}"
            else:
                where += f"    {'':{width}}"
            lines.append(f"{passed:7.3f}  {where}  {event.text}")
        return "\n".join(lines)


@dataclass
class Packets:
    """Turns the packets that a device captured into events. `addresses` names the place of each address."""

    device: str
    addresses: Mapping[str, str]
    _next: dict[tuple[str, object, object], int] = field(default_factory=dict)

    def events(self, packets: Iterable[Packet]) -> list[Event]:
        """Return an event for each packet; one that comes from another device is told by that one."""
        return [event for packet in packets if (event := self._event(packet)) is not None]

    def _event(self, packet: Packet) -> Event | None:
        source = self.device if packet.outgoing else self.addresses.get(packet.source[0], "")
        target = self.addresses.get(packet.destination[0], "") if packet.outgoing else self.device
        if source == target or not source or not target:
            return None
        kind, text = self._described(packet)
        return Event(packet.time, source, target, text, kind)

    def _described(self, packet: Packet) -> tuple[str, str]:
        if packet.protocol == "icmp":
            return RESET, f"ICMP {packet.flags}"
        if packet.protocol == "udp":
            return PACKET, _content(packet.data)
        flow = packet.interface, packet.source, packet.destination
        following = self._next.get(flow, packet.seq)
        behind = (following - packet.seq) & 0xFFFFFFFF
        size = packet.length + ("S" in packet.flags) + ("F" in packet.flags)
        if packet.has("R"):
            return RESET, "RST"
        if size == 0 and behind == 1:
            return PROBE, "keep-alive probe"
        if size and 0 < behind < 1 << 31:
            return REPEATED, f"{_segment(packet)} again"
        self._next[flow] = (packet.seq + size) & 0xFFFFFFFF
        return PACKET, _segment(packet)


def _segment(packet: Packet) -> str:
    names = [name for flag, name in (("S", "SYN"), ("F", "FIN")) if flag in packet.flags]
    if packet.data:
        names.append(_content(packet.data))
    elif "A" in packet.flags and "F" not in packet.flags:
        names.append("ACK")
    return " + ".join(names)


def _content(data: bytes) -> str:
    """Return content as text if it is printable, else its size."""
    text = data.decode("ascii", "replace").strip()
    if text.isprintable() and "\ufffd" not in text and len(text) <= LONGEST:
        return f"“{text}”"
    return f"{len(data)} bytes"
