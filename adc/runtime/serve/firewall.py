"""The firewall of a worker: rules that its listeners ask, sets that follow their files, counters and log lines."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic
from typing import Any

from adc.config import Config
from adc.config.model.firewall import Firewall
from adc.firewall.buckets import Buckets
from adc.firewall.filter import DEFAULT, Filter
from adc.firewall.packet import Packet, packet_of
from adc.firewall.prefixes import Prefixes
from adc.runtime.build.firewall import BadSet, filter_of, log_of, read_set, read_sets
from adc.runtime.errors import BuildError
from adc.telemetry.error_log import ErrorLog
from adc.telemetry.rate_gate import RateGate
from adc.telemetry.samples import Sample

Admission = Callable[[Any, Any], bool]
"""`(client_address, own_address) -> bool`, as sockets give them."""

_LOOK_EVERY = 1.0
"""Seconds between two looks at the files of sets."""

Signature = tuple[int, int, int]


class WorkerFirewall:
    """The rules in force. Counters go on over reloads by name of rule, and so do rates, in `buckets`."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._candidate: tuple[Firewall, Filter, dict[str, Signature]] | None = None
        self.filter: Filter | None = None
        self._files: dict[str, str] = {}
        self._read: dict[str, Signature] = {}
        self._seen: dict[str, Signature] = {}
        self._look_at = 0.0
        self._reading: asyncio.Task[None] | None = None
        self._gates: dict[str, RateGate] = {}
        self._log: ErrorLog | None = None

    async def prepare(self, config: Config) -> None:
        """Build the rules of a candidate and read its sets. Raises BuildError."""
        self._candidate = None
        firewall = config.firewall
        if firewall is None or firewall.engine != "userspace":
            return
        seen = {name: _signature(each.file) for name, each in firewall.sets.items() if each.file is not None}
        try:
            sets = await asyncio.to_thread(read_sets, firewall) if seen else read_sets(firewall)
        except (OSError, BadSet) as error:
            raise BuildError(f"firewall: {error}") from None
        self._candidate = firewall, filter_of(firewall, sets, self._buckets), seen

    def commit(self, error_log: ErrorLog) -> None:
        """Decide by the prepared rules from now on; listeners ask for their admission after this."""
        candidate, self._candidate = self._candidate, None
        before, self._log = self.filter, error_log
        self.filter, self._files, self._read, self._gates = None, {}, {}, {}
        if candidate is None:
            return
        firewall, self.filter, self._read = candidate
        if before is not None:
            self.filter.adopt(before)
        self._files = {name: each.file for name, each in firewall.sets.items() if each.file is not None}
        limits = {rule.name: rule.log for rule in self.filter.rules}
        limits[DEFAULT] = None if firewall.default == "accept" else log_of(firewall.log)
        self._gates = {
            name: RateGate(limit[1], limit[0]) for name, limit in limits.items() if limit is not None
        }

    def admission(
        self, listener: str, protocol: str, proxies: Callable[[str], bool] | None = None
    ) -> Admission | None:
        """Return the decision for new flows of a listener; None if there is no firewall.

        A peer that `proxies` matches will name its client in a PROXY protocol header: rules with `over` wait for that.
        Other nodes of the cluster prove themselves with its secret, so that their listeners have no rules. Unix sockets
        have permissions instead.
        """
        if self.filter is None or listener.startswith("("):
            return None
        return partial(self._admits, self.filter, listener, protocol, proxies)

    def _admits(
        self,
        rules: Filter,
        listener: str,
        protocol: str,
        proxies: Callable[[str], bool] | None,
        client: Any,
        own: Any,
    ) -> bool:
        packet = packet_of(protocol, client, own, listener)
        if packet is None:
            return True
        rates = proxies is None or not proxies(str(packet.source))
        decision = rules.decide(packet, monotonic(), time.time(), rates)
        if self._gates:
            for rule in decision.counted:
                self._report(packet, rule.name, rule.action)
            self._report(packet, decision.name, decision.action)
        return decision.action == "accept"

    def _report(self, packet: Packet, name: str, action: str) -> None:
        gate = self._gates.get(name)
        suppressed = None if gate is None else gate.admit("", monotonic())
        if suppressed is None or self._log is None:
            return
        fields: dict[str, object] = {"suppressed": suppressed} if suppressed else {}
        self._log.info(
            "firewall_decided",
            rule=name,
            action=action,
            protocol=packet.protocol,
            client=f"{packet.source} {packet.source_port}",
            own=f"{packet.destination} {packet.port}",
            listener=packet.listener,
            **fields,
        )

    def tick(self, now: float) -> None:
        """Read a set again whose file has changed: two looks must find it the same, lest it is half written."""
        if not self._files or now < self._look_at or (self._reading is not None and not self._reading.done()):
            return
        self._look_at = now + _LOOK_EVERY
        for name, file in self._files.items():
            before, signature = self._seen.get(name), _signature(file)
            self._seen[name] = signature
            if before == signature != self._read.get(name):
                self._read[name] = signature
                self._reading = asyncio.get_running_loop().create_task(self._reread(name, file, self.filter))
                return

    async def _reread(self, name: str, file: str, rules: Filter | None) -> None:
        """Replace a set; a file that cannot be used changes nothing."""
        try:
            networks = await asyncio.to_thread(lambda: Prefixes(read_set(file)))
        except (OSError, BadSet) as error:
            if self._log is not None:
                self._log.error("firewall_set_not_reloaded", set=name, detail=str(error))
            return
        if rules is not None:
            rules.sets[name] = networks
        if self._log is not None:
            self._log.info("firewall_set_reloaded", set=name)

    def samples(self) -> Iterator[Sample]:
        """Return the counters of the rules."""
        if self.filter is not None:
            actions = {rule.name: rule.action for rule in self.filter.rules} | {DEFAULT: self.filter.default}
            for name, count in self.filter.counters.items():
                yield Sample("adc_firewall_packets_total", (name, actions[name]), count)


def _signature(file: str) -> Signature:
    """Return what changes with a file; zeros if there is none."""
    try:
        found = os.stat(file)
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino
