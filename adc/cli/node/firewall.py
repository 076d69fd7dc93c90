"""`adc firewall`: show the rules and their counters, check them, explain the decision about a packet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adc.cli.admin_client import admin_address, carry_out
from adc.cli.arguments import AdminAddress, AdminConfig, ConfigPath, Json
from adc.cli.loading import load_or_fail
from adc.cli.output import FAILED, MISUSED, fail, print_json, print_table
from adc.firewall.packet_text import SYNTAX
from adc.runtime.operations import firewall as operations
from adc.runtime.operations.convert import to_json
from adc.runtime.operations.operation import NOTHING

if TYPE_CHECKING:
    from adc.cli.firewall_asking import Rules

firewall = typer.Typer(help="Show, check and explain the rules of the firewall.", no_args_is_help=True)

_Packet = Annotated[
    str,
    typer.Argument(
        metavar="PACKET", help=f"In quotes: {SYNTAX.replace('[', chr(92) + '[')}.", show_default=False
    ),
]


@firewall.command()
def show(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG",
            help="A configuration whose rules are shown, without counters.",
            show_default=False,
        ),
    ] = None,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Show the rules of the running node with the number of new flows that each matched, or the rules of CONFIG."""
    if file is not None:
        _show_file(file, json)
        return
    rows = carry_out(admin_address(admin, config), operations.LIST, NOTHING)
    if json:
        print_json(to_json(rows))
    else:
        print_table(("rule", "action", "packets"), ([row.rule, row.action, row.packets] for row in rows))


def _show_file(file: Path, json: bool) -> None:
    rules = _rules(file)
    rows = rules.rows()
    if json:
        print_json(rows)
    else:
        columns = ("rule", "action", "when", "where")
        print_table(columns, ([row[column] for column in columns] for row in rows))


@firewall.command()
def check(config: ConfigPath, json: Json = False) -> None:
    """Find rules that are never reached, empty and unused sets, and listeners whose clients are all locked out.

    Exit code 1 if any is found, 2 if the configuration is invalid.
    """
    rules = _rules(config)
    warnings = rules.warnings()
    if json:
        print_json({"ok": not warnings, "warnings": warnings})
    if warnings:
        fail("" if json else "\n".join(warnings), FAILED)
    if not json:
        print(f"{config}: {len(rules.filter.rules)} rules, ok")


@firewall.command()
def explain(config: ConfigPath, packet: _Packet, json: Json = False) -> None:
    """Show which rule decides on a packet and why, each step with its line; nothing is sent or counted.

    No rate counts as exceeded. The listener is the one bound to the destination unless `to` names another.
    """
    from adc.firewall.packet_text import BadPacket

    rules = _rules(config)
    try:
        steps, verdict = rules.explain(packet)
    except BadPacket as error:
        fail(str(error), MISUSED)
    if json:
        print_json({"steps": steps, **verdict})
        return
    for step in steps:
        word = "matches" if step["ok"] else "does not match"
        print(f"{step['where']}: {step['rule']}: {step['key']} {step['got']} {word} {step['wanted']}")
    why = f", because {verdict['why']}" if "why" in verdict else ""
    print(f"{verdict['where']}: -> {verdict['rule']}: {verdict['action']}{why}")


@firewall.command()
def nftables(config: ConfigPath) -> None:
    """Print the rules of a configuration for the kernel, as nft -f reads them; nothing is changed."""
    from adc.control.kernel_transaction import table_for
    from adc.control.sockets import BindError
    from adc.runtime.assembly.firewall import BadSet

    loaded = load_or_fail(config)
    try:
        table = table_for(loaded.config)
    except (BindError, OSError, BadSet) as error:
        fail(str(error), MISUSED)
    if table is None:
        fail(
            f"{config}: the kernel has nothing to do; write firewall: {{engine: nftables}} or datapath: kernel",
            FAILED,
        )
    print(table, end="")


@firewall.command()
def conntrackd(
    config: ConfigPath,
    interface: Annotated[
        str, typer.Option(help="Interface of cluster.advertise, on the link between the nodes.")
    ],
    peer: Annotated[str, typer.Option(help="Address of the other node; from cluster.peers by default.")] = "",
) -> None:
    """Print a configuration of conntrackd for this node, which copies entries of flows to the other of two nodes."""
    from adc.control.conntrackd import NotTwoNodes, conntrackd_of
    from adc.control.sockets import BindError

    loaded = load_or_fail(config)
    try:
        print(conntrackd_of(loaded.config, peer, interface), end="")
    except (NotTwoNodes, BindError) as error:
        fail(str(error), MISUSED)


def _rules(config: Path) -> Rules:
    from adc.cli.firewall_asking import BadRules, Rules

    loaded = load_or_fail(config)
    try:
        return Rules(loaded)
    except BadRules as error:
        fail(str(error), MISUSED)


def add(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.add_typer(firewall, name="firewall")
