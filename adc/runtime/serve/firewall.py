"""The firewall of a worker: rules that its listeners ask, sets that follow their files, counters and log lines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from time import monotonic
from typing import Any

from adc.config import Config
from adc.config.model.firewall import Firewall
from adc.firewall.buckets import Buckets
from adc.firewall.filter import DEFAULT, Filter
from adc.firewall.packet import Packet, packet_of
from adc.runtime.assembly.firewall import BadSet, filter_of, log_of, read_set, read_sets
from adc.runtime.assembly.set_files import SetFiles
from adc.runtime.errors import BuildError
from adc.sessions.row import address_text
from adc.telemetry.error_log import ErrorLog
from adc.telemetry.rate_gate import RateGate
from adc.telemetry.samples import Sample

Admission = Callable[[Any, Any], bool]
"""`(client_address, own_address) -> bool`, as sockets give them."""

_LOOK_EVERY = 1.0
"""Seconds between two looks at the files of sets."""


class WorkerFirewall:
    """The rules in force. Counters go on over reloads by name of rule, and so do rates, in `buckets`.

    The rates of UDP listeners are in `buckets` too: it is the memory that the workers share.
    """

    def __init__(self, buckets: Buckets) -> None:
        self.buckets = buckets
        self._candidate: tuple[Firewall, Filter, SetFiles] | None = None
        self.filter: Filter | None = None
        self._sets = SetFiles({})
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
        files = SetFiles({name: each.file for name, each in firewall.sets.items() if each.file is not None})
        try:
            sets = await asyncio.to_thread(read_sets, firewall) if files.files else read_sets(firewall)
        except (OSError, BadSet) as error:
            raise BuildError(f"firewall: {error}") from None
        self._candidate = firewall, filter_of(firewall, sets, self.buckets), files

    def commit(self, error_log: ErrorLog) -> None:
        """Decide by the prepared rules from now on; listeners ask for their admission after this."""
        candidate, self._candidate = self._candidate, None
        before, self._log = self.filter, error_log
        self.filter, self._sets, self._gates = None, SetFiles({}), {}
        if candidate is None:
            return
        firewall, self.filter, self._sets = candidate
        if before is not None:
            self.filter.adopt(before)
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
            client=address_text((packet.source, packet.source_port)),
            own=address_text((packet.destination, packet.port)),
            listener=packet.listener,
            **fields,
        )

    def tick(self, now: float) -> None:
        """Read the sets again whose files have changed."""
        if not self._sets.files or now < self._look_at:
            return
        if self._reading is not None and not self._reading.done():
            return
        self._look_at = now + _LOOK_EVERY
        changed = self._sets.look()
        if changed:
            files = {name: self._sets.files[name] for name in changed}
            self._reading = asyncio.get_running_loop().create_task(self._reread(files, self.filter))

    async def _reread(self, files: Mapping[str, str], rules: Filter | None) -> None:
        """Replace sets; a file that cannot be used changes nothing."""
        for name, file in files.items():
            try:
                networks = await asyncio.to_thread(read_set, file)
            except (OSError, BadSet) as error:
                if self._log is not None:
                    self._log.error("firewall_set_not_reloaded", set=name, detail=str(error))
                continue
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
