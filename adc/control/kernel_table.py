"""Keeps our table of the kernel's rules as the configuration, sets, hours and the state of members want it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from adc.control import nft
from adc.control.calls import CallRefused
from adc.control.kernel_claim import TableClaim, TableTaken
from adc.control.kernel_expiry import ExpiryWatch
from adc.control.kernel_flows import OPERATIONS, end_flows, open_flows, ports_of, reply, service_of
from adc.control.kernel_rules import KernelRules, rules_of
from adc.control.kernel_services import Standing, departed, services_of
from adc.control.kernel_transaction import needs_kernel, refused, replace_table, table_of
from adc.control.kernel_witness import Witness
from adc.control.nft import NftFailed
from adc.control.nft_listing import counters
from adc.control.sockets import BindError
from adc.firewall.filter import DEFAULT
from adc.firewall.nftables.datapath import maps_of, update
from adc.firewall.nftables.rules import counter_of
from adc.firewall.nftables.service import Service
from adc.firewall.nftables.table import table_name
from adc.runtime.assembly.firewall import BadSet
from adc.runtime.operations import firewall
from adc.sessions.conntrack import BadMessage, Tracked
from adc.telemetry.event_log import EventLog
from adc.telemetry.rate_gate import RateGate

if TYPE_CHECKING:
    from adc.config import Config
    from adc.runtime.operations.operation import Operation

log = EventLog(__name__)

PERIOD = 1.0
"""Seconds between two looks at files of sets and at the clock, and until a failed change is tried again."""

COMPLAINT_PERIOD = 60.0
"""Seconds between two log lines about one failure that goes on."""

DRAIN_PERIOD = 0.2
DRAIN_SHARE = 20.0
"""Least seconds between two looks at open flows while they drain, also as a multiple of the time that a look takes."""


class KernelTable:
    """Our table. Without a feature that needs it, it does not exist, and nft is never run.

    `standing` returns the state of a member at this moment; call `members_changed` when it is another one. Two changes
    never run at the same time.
    """

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._config: Config | None = None
        self._services: tuple[Service, ...] = ()
        self._former: tuple[Service, ...] = ()
        self._expiry = ExpiryWatch(self._is_reset, SystemRandom())
        self._rules: KernelRules | None = None
        self._windows: tuple[bool, ...] = ()
        self._stale = False
        self._contents: Mapping[str, bytes] = {}
        self._pending: Config | None = None
        self._witness = Witness()
        self._claim = TableClaim()
        self._complaints = RateGate(1, 1 / COMPLAINT_PERIOD)
        self._taking_over = False
        self._draining = False
        self._paused = False
        self._running = asyncio.Lock()
        self._due = False
        self._catching_up: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def check(self, config: Config) -> None:
        """Have the kernel check what `apply` would do. Raises CallRefused."""
        if not needs_kernel(config):
            return
        try:
            self._claim.check(table_name(config.node))
            reason = await asyncio.to_thread(refused, config)
        except (BindError, TableTaken) as error:
            raise CallRefused(str(error)) from error
        if reason is not None:
            raise CallRefused(f"kernel rules: {reason}")

    async def apply(self, config: Config, *, taking_over: bool = False) -> None:
        """Have the kernel do what `config` says, in one transaction. Raises CallRefused with all as it was.

        `taking_over`: the process that has the table hands it over, and will end.
        """
        if self._config is None and not needs_kernel(config):
            return
        async with self._running:
            self._taking_over = taking_over
            try:
                await self._replace(config, await asyncio.to_thread(rules_of, config))
            except (NftFailed, BindError, OSError, BadSet, BadMessage) as error:
                raise CallRefused(f"kernel rules: {error}") from error

    async def let_go(self, config: Config) -> None:
        """Have the kernel do no more for a configuration that needs no rules; `follow` tries again what fails."""
        async with self._running:
            if self._config is not None:
                self._pending = config
                try:
                    await self._replace(config, None)
                except (NftFailed, BindError) as error:
                    self._complain(str(error))

    async def _replace(self, config: Config, rules: KernelRules | None) -> None:
        """Make the table anew. Only with the lock."""
        services, wall = self._wanted(config), time.time()
        before = self._config
        self._take(table_name(config.node))
        table = table_of(config, services, rules, wall, serving=before is not None)
        reset = [each for each in (*services, *self._forwarding) if each.forwards and each.resets]
        if reset:
            self._expiry.open(ports_of(reset))  # first: the kernel reports no entry that is older
        contents, known = {} if table is None else table.contents(), await self._known(config)
        same = {name for name, digest in contents.items() if known.get(name) == digest}
        await asyncio.to_thread(
            replace_table, table, None if before is None else table_name(before.node), same
        )
        self._contents = contents
        self._former = departed(self._services, self._former, services)
        self._config = None if table is None else config
        self._services, self._rules = services, rules
        self._windows = () if rules is None else rules.windows(wall)
        self._pending, self._stale = None, False
        await self._remember()

    async def _known(self, config: Config) -> Mapping[str, bytes]:
        """Return digests of the elements that sets and maps of the table of `config` have; none if another program may
        have changed them. Raises NftFailed."""
        before = self._config
        if (
            before is None
            or before.node != config.node
            or not await asyncio.to_thread(self._witness.untouched)
        ):
            return {}
        return self._contents

    def _take(self, table: str) -> None:
        """Claim the table; one that is taken over, as soon as its process has ended. Raises TableTaken."""
        try:
            self._claim.take(table)
        except TableTaken:
            if not self._taking_over:
                raise
        else:
            self._taking_over = False

    async def _remember(self) -> None:
        """Remember the present rules, to detect changes by other programs."""
        if self._config is None:
            self._witness.forget()
            self._claim.release()
        else:
            maps = [name for service in self._services for name in maps_of(service)]
            try:
                await asyncio.to_thread(self._witness.remember, table_name(self._config.node), maps)
            except (NftFailed, OSError, BadMessage) as error:
                self._witness.forget()
                log.error("kernel_rules_failed", detail=str(error))

    def _wanted(self, config: Config) -> tuple[Service, ...]:
        """Return the services with their targets at this moment: none while they drain. Raises BindError."""
        services = services_of(config, self._standing)
        return tuple(replace(each, targets=()) for each in services) if self._draining else services

    def _is_reset(self, entry: Tracked) -> bool:
        """Return True if both ends of an ended flow get RST."""
        service = service_of(entry, self._forwarding)
        return service is not None and service.resets

    @property
    def _forwarding(self) -> tuple[Service, ...]:
        return tuple(each for each in (*self._services, *self._former) if each.forwards)

    def watch(self) -> None:
        """Follow sets, windows of time and other programs' changes from now on, and reset the ends of expired flows."""
        self._expiry.start()
        if self._config is not None and (self._watching is None or self._watching.done()):
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while self._config is not None:
            await asyncio.sleep(PERIOD)
            try:
                await self.follow()
            except (NftFailed, BindError, OSError, BadSet, BadMessage) as error:
                self._complain(str(error))
            except Exception as error:  # whatever it is: the rules must be followed on
                self._complain(repr(error))

    async def follow(self) -> None:
        """Apply changed sets, windows of time that began or ended, what `let_go` could not, and what another program
        has undone. Raises NftFailed, BindError, OSError, BadSet, BadMessage.
        """
        async with self._running:
            if self._paused:
                return
            pending, config, rules = self._pending, self._config, self._rules
            if pending is not None:
                await self._replace(pending, None)
                log.info("kernel_rules_restored")
                return
            if config is None:
                return
            self._take(table_name(config.node))
            if rules is not None:
                refreshed = await asyncio.to_thread(rules.refresh)
                self._stale = self._stale or refreshed or rules.windows(time.time()) != self._windows
            if not await self._restored(config) and self._stale:
                await self._replace(config, rules)

    async def _restored(self, config: Config) -> bool:
        """Make the table anew if another program has changed it; True if so. Only with the lock."""
        if not await asyncio.to_thread(self._witness.is_changed):
            return False
        log.error("kernel_rules_changed", table=table_name(config.node))
        await self._replace(config, self._rules)
        log.info("kernel_rules_restored")
        return True

    async def reply(self, operation: Operation[Any, Any], request: Any) -> Any:
        """Return the kernel's reply to an operation on flows or rules; None for others.

        Raises OSError, BadMessage, NftFailed.
        """
        if operation is firewall.LIST:
            return await self.rows()
        config, services = self._config, self._forwarding
        if config is None or operation not in OPERATIONS or not services:
            return None
        return await asyncio.to_thread(reply, operation, request, config, services)

    async def rows(self) -> list[firewall.FirewallRow] | None:
        """Return the rules that the kernel decides by, with their counters; None without any. Raises NftFailed."""
        rules, config = self._rules, self._config
        if rules is None or config is None:
            return None
        packets = await asyncio.to_thread(counters, table_name(config.node))
        named = [(rule.name, rule.action) for rule in rules.filter.rules] + [(DEFAULT, rules.filter.default)]
        return [
            firewall.FirewallRow(name, action, packets.get(counter_of(name), 0)) for name, action in named
        ]

    def members_changed(self) -> None:
        """Bring the maps up to date soon. Cheap if the kernel forwards nothing."""
        self._due = True
        if self._services and (self._catching_up is None or self._catching_up.done()):
            self._catching_up = asyncio.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        while self._due:
            self._due = False
            try:
                await self.update()
            except (NftFailed, BindError) as error:
                self._complain(str(error))
                await asyncio.sleep(PERIOD)
                self._due = True

    def _complain(self, detail: str) -> None:
        """Log a failure; one that goes on is logged once a minute."""
        if self._complaints.admit(detail, time.monotonic()) is not None:
            log.error("kernel_rules_failed", detail=detail)

    async def update(self) -> None:
        """Replace the maps of the listeners whose targets are others now. Raises NftFailed, BindError."""
        async with self._running:
            if self._config is None or self._paused:
                return
            if await self._restored(self._config):
                return
            services = self._wanted(self._config)
            changed = [now for now, before in zip(services, self._services, strict=True) if now != before]
            if changed:
                name, contents = table_name(self._config.node), dict(await self._known(self._config))
                updates = [update(name, service) for service in changed]
                await asyncio.to_thread(nft.apply, "".join(text for text, _ in updates))
                for _, digests in updates:
                    contents |= digests
                self._services, self._contents = services, contents
                await self._remember()

    async def pause(self) -> None:
        """Change nothing from now on: another binary may have the table."""
        async with self._running:
            self._paused = True

    def resume(self) -> None:
        """Go on: the other binary did not start. What it changed is noticed."""
        self._paused = False

    async def drain(self, grace: float) -> None:
        """Refuse new flows at once; return when no forwarded flow is open, after `grace` seconds at most."""
        deadline = time.monotonic() + grace
        self._draining = True
        try:
            await self.update()
        except (NftFailed, BindError) as error:
            log.error("kernel_rules_failed", detail=str(error))
        while self._forwarding:
            started = time.monotonic()
            if not await asyncio.to_thread(self._open_flows):
                return
            now = time.monotonic()
            if now >= deadline:
                return
            pause = max(DRAIN_PERIOD, DRAIN_SHARE * (now - started))
            await asyncio.sleep(min(pause, deadline - now))

    def _open_flows(self) -> int:
        try:
            return sum(1 for _ in open_flows(self._forwarding))
        except (OSError, BadMessage) as error:
            log.error("kernel_rules_failed", detail=f"connection tracking: {error}")
            return 1  # maybe: the grace is for them

    async def close(self, *, handed_over: bool) -> None:
        """End all forwarded flows, and remove the table unless its rules shall stay. A binary that has taken over
        keeps everything.
        """
        tasks = [task for task in (self._catching_up, self._watching) if task is not None and not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        config, self._config = self._config, None
        if config is not None and not handed_over:
            await self._leave(config)
        self._expiry.close()
        self._claim.release()

    async def _leave(self, config: Config) -> None:
        stays = config.firewall is not None and not config.firewall.remove_on_exit
        try:
            if self._forwarding:
                await asyncio.to_thread(end_flows, self._forwarding)
                self._expiry.finish()
            table = table_of(config, (), self._rules if stays else None, time.time(), serving=False)
            await asyncio.to_thread(replace_table, table, table_name(config.node))
        except (NftFailed, BindError, OSError, BadMessage) as error:
            log.error("kernel_rules_failed", detail=str(error))
