"""`adc status`: how the running service is."""

from __future__ import annotations

from typing import Any

import typer

from adc.cli.admin_client import admin_address, get
from adc.cli.arguments import AdminAddress, AdminConfig, Json
from adc.cli.output import print_json, print_table


def status(admin: AdminAddress = None, config: AdminConfig = None, json: Json = False) -> None:
    """Show version, workers, listeners, pools and the last reload of a running service."""
    value = get(admin_address(admin, config), "/api/v1/status")
    if json:
        print_json(value)
    else:
        _print(value)


def _print(value: dict[str, Any]) -> None:
    print(f"adc {value['version']}, node {value['node']}, process {value['pid']}, up {value['uptime']:.0f} s")
    print(f"configuration {value['config']}")
    workers = ", ".join(f"{worker['id']} (process {worker['pid']})" for worker in value["workers"])
    print(f"workers {workers}; {value['worker_restarts']} replaced")
    state = value["state"]
    print(f"state {state['backend']}" + (f", degraded: {state['reason']}" if state["degraded"] else ""))
    last = value["last_reload"]
    if last:
        print(f"last reload {last['result']}", *last["messages"], sep="\n  ")
    print()
    print_table(
        ("listener", "protocol", "addresses"),
        ((row["name"], row["protocol"], " ".join(row["addresses"])) for row in value["listeners"]),
    )
    print()
    print_table(
        ("pool", "members", "available", "active"),
        ((row["name"], row["members"], row["available"], row["active"]) for row in value["pools"]),
    )


def add(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.command()(status)
