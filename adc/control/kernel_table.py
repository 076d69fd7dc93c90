"""Keeps our table of the kernel's rules as the configuration and the state of members want it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adc.control import nft
from adc.control.calls import CallRefused
from adc.control.kernel_services import Standing, services_of
from adc.control.nft import NftFailed
from adc.control.sockets import BindError
from adc.firewall.nftables.datapath import add_services, update
from adc.firewall.nftables.service import Service
from adc.firewall.nftables.table import Names, Table, removal, table_name
from adc.telemetry.event_log import EventLog

if TYPE_CHECKING:
    from adc.config import Config

log = EventLog(__name__)

RETRY = 1.0
"""Seconds until a failed change of members is tried again."""


class KernelTable:
    """Our table. Without a feature that needs it, it does not exist, and nft is never run.

    `standing` returns the state of a member at this moment; call `members_changed` when it is another one. A change of
    the whole table and one of members never run at the same time.
    """

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._config: Config | None = None
        self._services: tuple[Service, ...] = ()
        self._running = asyncio.Lock()
        self._due = False
        self._catching_up: asyncio.Task[None] | None = None

    async def check(self, config: Config) -> None:
        """Have the kernel check what `apply` would do. Raises CallRefused."""
        table = table_of(config, services_of(config, self._standing), self._config is not None)
        if table is not None:
            try:
                await asyncio.to_thread(nft.check, table.replacing(Names()))
            except NftFailed as error:
                raise CallRefused(f"kernel rules: {error}") from error

    async def apply(self, config: Config) -> None:
        """Have the kernel do what `config` says, in one transaction. Raises CallRefused."""
        async with self._running:
            services = services_of(config, self._standing)
            table = table_of(config, services, self._config is not None)
            try:
                if self._config is not None and (
                    table is None or table.name != table_name(self._config.node)
                ):
                    await asyncio.to_thread(nft.apply, removal(table_name(self._config.node)))
                if table is not None:
                    await asyncio.to_thread(_replace, table)
            except NftFailed as error:
                raise CallRefused(f"kernel rules: {error}") from error
            self._config = None if table is None else config
            self._services = services

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
                log.error("kernel_rules_failed", detail=str(error))
                await asyncio.sleep(RETRY)
                self._due = True

    async def update(self) -> None:
        """Replace the maps of the listeners whose targets are others now. Raises NftFailed, BindError."""
        async with self._running:
            if self._config is None:
                return
            services = services_of(self._config, self._standing)
            changed = [now for now, before in zip(services, self._services, strict=True) if now != before]
            if changed:
                name = table_name(self._config.node)
                await asyncio.to_thread(nft.apply, "".join(update(name, service) for service in changed))
                self._services = services

    async def close(self, *, handed_over: bool) -> None:
        """Remove the table; another binary that has taken over keeps it."""
        if self._catching_up is not None and not self._catching_up.done():
            self._catching_up.cancel()
            await asyncio.gather(self._catching_up, return_exceptions=True)
        if self._config is not None and not handed_over:
            try:
                await asyncio.to_thread(nft.apply, removal(table_name(self._config.node)))
            except NftFailed as error:
                log.error("kernel_rules_failed", detail=str(error))
        self._config = None


def table_of(config: Config, services: tuple[Service, ...], serving: bool) -> Table | None:
    """Return the table that `config` needs, None if it needs none. A table that is `serving` stays: without its chains
    the kernel would translate no packet of flows that go on."""
    if not services and not serving:
        return None
    table = Table(table_name(config.node))
    add_services(table, services)
    return table


def _replace(table: Table) -> None:
    nft.apply(table.replacing(nft.names(table.name)))


def refused(config: Config) -> str | None:
    """Return why the kernel would refuse the rules of `config` here, or None. Raises BindError."""
    table = table_of(config, services_of(config, lambda pool, member: (True, True)), False)
    if table is None:
        return None
    try:
        nft.check(table.replacing(Names()))
    except NftFailed as error:
        return str(error)
    return None
