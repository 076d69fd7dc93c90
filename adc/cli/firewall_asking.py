"""The firewall of a configuration that is not served: its rules, their mistakes, and what they decide."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adc.firewall.filter import DEFAULT, ESTABLISHED, UNFILTERED, Decision, Step
from adc.firewall.packet import Packet
from adc.firewall.packet_text import parse_packet
from adc.http.networks import parse_address
from adc.runtime.assembly.firewall import BadSet, filter_of, read_sets
from adc.runtime.assembly.firewall_lint import doubtful_rules

if TYPE_CHECKING:
    from adc.config import Loaded
    from adc.config.model.firewall import FirewallRule


class BadRules(Exception):
    """There are no rules, or they cannot be used; the text is for the user."""


class Rules:
    """The rules of `loaded`, with the places of their keys. Raises BadRules."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        firewall = loaded.config.firewall
        if firewall is None:
            raise BadRules("there is no firewall in this configuration; write firewall: {rules: [...]}")
        self._model = firewall
        try:
            self.filter = filter_of(firewall, read_sets(firewall))
        except (OSError, BadSet) as error:
            raise BadRules(str(error)) from None

    def warnings(self) -> list[str]:
        """Return the probable mistakes, each with its place."""
        found = doubtful_rules(self._loaded.config, self._model, self.filter)
        return [str(problem) for problem in self._loaded.problems(found)]

    def rows(self) -> list[dict[str, str]]:
        """Return the rules in order, the default last."""
        rows = [
            {
                "rule": rule.name,
                "action": rule.action,
                "when": "; ".join(f"{key} {wanted_of(rule, key)}" for key in _written(rule)) or "always",
                "where": self._where(place),
            }
            for place, rule in enumerate(self._model.rules)
        ]
        last = {"rule": DEFAULT, "action": self._model.default, "when": "else", "where": self._where(None)}
        return [*rows, last]

    def explain(self, text: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Return the steps of the decision about the packet in `text`, and the decision. Raises BadPacket."""
        packet, wall = parse_packet(text)
        if not packet.listener:
            packet = packet._replace(listener=self._listener(packet))
        moment = time.time() if wall is None else wall
        steps, decision = self._decide(packet, moment)
        rows = []
        for step in steps:
            rule = self._model.rules[step.rule]
            if step.key == "state" and step.holds and rule.state is None:
                continue  # not written, and true of every new flow
            rows.append(
                {
                    "rule": rule.name,
                    "key": step.key,
                    "wanted": wanted_of(rule, step.key),
                    "got": _got(packet, step.key, moment),
                    "ok": step.holds,
                    "where": self._where(step.rule, step.key),
                }
            )
        place = None if decision.rule is None else self.filter.rules.index(decision.rule)
        verdict = {"rule": decision.name, "action": decision.action, "where": self._where(place)}
        return rows, verdict | self._why(packet, decision)

    def _decide(self, packet: Packet, wall: float) -> tuple[list[Step], Decision]:
        if not packet.listener and packet.protocol != "icmp":
            return [], Decision("accept", None, UNFILTERED)
        return self.filter.explain(packet, wall)

    def _why(self, packet: Packet, decision: Decision) -> dict[str, str]:
        """Return the reason of a decision that no rule and no default made."""
        if decision.name == ESTABLISHED:
            return {"why": "its flow was accepted, and no rule has this state"}
        if decision.name != UNFILTERED:
            return {}
        if packet.protocol == "icmp":
            return {"why": "no rule with protocol icmp matches, and the default is about listeners"}
        return {"why": f"no {packet.protocol} listener has {packet.destination} port {packet.port}"}

    def _where(self, place: int | None, key: str = "") -> str:
        path: tuple[str | int, ...] = ("firewall", "default")
        if place is not None:
            path = ("firewall", "rules", place, *([key] if key else []))
        mark = self._loaded.where(path)
        return f"{mark.file}:{mark.line}"

    def _listener(self, packet: Packet) -> str:
        """Return the name of the listener that is bound to the packet's destination, "" for none."""
        for listener in self._loaded.config.listeners:
            if ("udp" if listener.protocol == "udp" else "tcp") != packet.protocol:
                continue
            for address in listener.bind:
                host = parse_address(address.host)
                unspecified = (
                    host is not None and host.is_unspecified and host.version == packet.destination.version
                )
                everywhere = not address.path and (not address.host or unspecified)
                if address.port == packet.port and (everywhere or host == packet.destination):
                    return listener.name
        return ""


_PERIODS = {1.0: "s", 60.0: "m", 3600.0: "h"}

_KEYS = (
    "state",
    "protocol",
    "listener",
    "interface",
    "port",
    "source_port",
    "source",
    "destination",
    "time",
    "over",
)


def _written(rule: FirewallRule) -> list[str]:
    return [key for key in _KEYS if getattr(rule, key)]


def wanted_of(rule: FirewallRule, key: str) -> str:
    """Return what a rule demands in one key, as text."""
    if key == "state":
        return ", ".join(rule.states)
    if key in ("port", "source_port"):
        ranges = getattr(rule, key)
        return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
    if key == "protocol" and not rule.protocol:
        return "tcp, udp"
    if key == "time" and rule.time is not None:
        end = 24 * 60 if rule.time.to is None else rule.time.to
        hours = f"{_clock(rule.time.from_)} to {_clock(end)}"
        return f"{', '.join(rule.time.days)} {hours} {rule.time.timezone}"
    if key == "over" and rule.over is not None:
        count, period = rule.over.new_connections or rule.over.packets or (0, 1.0)
        return f"{count}/{_PERIODS[period]} per {rule.over.per}"
    return ", ".join(getattr(rule, key))


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _got(packet: Packet, key: str, wall: float) -> str:
    if key == "time":
        return datetime.fromtimestamp(wall, UTC).strftime("%a %Y-%m-%dT%H:%MZ")
    if key == "over":
        return "a rate below that"
    return str(getattr(packet, key)) or "nothing"
