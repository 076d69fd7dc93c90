"""The table that a configuration needs, and the transactions that bring the kernel there."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from adc.control import nft
from adc.control.kernel_rules import KernelRules, rules_of
from adc.control.kernel_services import guarded_by, kernel_listeners, services_of, uses_engine
from adc.control.nft import NftFailed
from adc.control.nft_listing import names
from adc.firewall.nftables.datapath import add_services
from adc.firewall.nftables.rules import add_rules
from adc.firewall.nftables.service import Service
from adc.firewall.nftables.table import Names, Table, removal, table_name
from adc.runtime.assembly.firewall import BadSet
from adc.telemetry.event_log import EventLog

if TYPE_CHECKING:
    from adc.config import Config

log = EventLog(__name__)


def table_of(
    config: Config, services: tuple[Service, ...], rules: KernelRules | None, wall: float, *, serving: bool
) -> Table | None:
    """Return the table that `config` needs, None if it needs none. Raises BindError.

    A table that is `serving` stays: without its chains the kernel would translate no packet of flows that go on.
    """
    if not services and rules is None and not serving:
        return None
    table = Table(table_name(config.node))
    if services or serving:
        add_services(table, services)
    if rules is not None:
        add_rules(table, rules.filter, guarded_by(config), wall)
    return table


def table_for(config: Config) -> str | None:
    """Return the text that makes the table of `config` with all members up, None if it needs none.

    Raises BindError, OSError, BadSet.
    """
    services = services_of(config, lambda pool, member: (True, True))
    table = table_of(config, services, rules_of(config), time.time(), serving=False)
    return None if table is None else table.replacing(Names())


def refused(config: Config) -> str | None:
    """Return why the kernel would refuse the rules of `config` here, or None. Raises BindError."""
    try:
        text = table_for(config)
        if text is not None:
            nft.check(removal(table_name(config.node)) + text)
    except (NftFailed, OSError, BadSet) as error:
        return str(error)
    return None


def needs_kernel(config: Config) -> bool:
    """Return True if `config` has rules for the kernel."""
    return uses_engine(config) or bool(kernel_listeners(config))


def replace_table(table: Table | None, before: str | None, same: Collection[str] = ()) -> None:
    """Replace the table called `before` by `table`, in one transaction. The sets and maps of `same` have their elements
    already. Raises NftFailed.

    If objects that another program or version of adc left in it do not fit, the table is created from scratch.
    """
    gone = removal(before) if before is not None and (table is None or table.name != before) else ""
    if table is None:
        if gone:
            nft.apply(gone)
        return
    try:
        nft.apply(gone + table.replacing(names(table.name), same))
    except NftFailed as error:
        try:
            nft.apply(gone + removal(table.name) + table.replacing(Names()))
        except NftFailed:
            raise error from None
        log.warn("kernel_rules_recreated", detail=str(error))
