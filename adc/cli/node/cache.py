"""`adc cache`: contents and counters of the stores, purging, and the cache's decision about a URL."""

from __future__ import annotations

from typing import Annotated

import typer

from adc.cli.admin_client import admin_address, carry_out
from adc.cli.arguments import AdminAddress, AdminConfig, Json
from adc.cli.output import MISUSED, fail, print_json, print_table
from adc.runtime.operations import cache as operations
from adc.runtime.operations import cache_why
from adc.runtime.operations.convert import to_json
from adc.runtime.operations.operation import NOTHING

cache = typer.Typer(help="Show, purge and explain cached responses.", no_args_is_help=True)

COLUMNS = (
    "store",
    "hits",
    "misses",
    "stale",
    "revalidated",
    "collapsed",
    "memory_keys",
    "memory_bytes",
    "disk_entries",
    "disk_bytes",
)
ENTRY = ("worker", "chosen", "status", "age", "ttl", "by", "must_validate", "length", "tier", "vary", "tags")


@cache.command()
def stats(admin: AdminAddress = None, config: AdminConfig = None, json: Json = False) -> None:
    """Show the content of each store and its counters since the workers started."""
    rows = carry_out(admin_address(admin, config), operations.STATS, NOTHING)
    if json:
        print_json(to_json(rows))
    else:
        print_table(COLUMNS, ([_figure(getattr(row, column)) for column in COLUMNS] for row in rows))


@cache.command()
def purge(
    url: Annotated[
        str | None, typer.Argument(help="URL whose variants are purged.", show_default=False)
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Purge all URLs with this prefix.")] = None,
    tag: Annotated[str | None, typer.Option(help="Purge all responses with this tag.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Purge everything.")] = False,
    soft: Annotated[
        bool, typer.Option("--soft", help="Keep the responses, but validate them before the next use.")
    ] = False,
    store: Annotated[str | None, typer.Option(help="Name of the only cache to purge.")] = None,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Purge by URL, prefix, tag, or everything; when it returns, no worker serves the purged responses."""
    if sum(value is not None for value in (url, prefix, tag)) + everything != 1:
        fail("what to purge is not clear; give one of a URL, --prefix, --tag and --all", MISUSED)
    _check_url(url or prefix)
    try:
        request = operations.Purge(url, prefix, tag, everything, soft, store)
    except ValueError as error:
        fail(str(error), MISUSED)
    reply = carry_out(admin_address(admin, config), operations.PURGE, request)
    if json:
        print_json(to_json(reply))
    else:
        print(f"{'marked as stale' if soft else 'purged'}: {reply.purged}")


@cache.command()
def why(
    url: Annotated[str, typer.Argument(help="A whole URL.", show_default=False)],
    method: Annotated[str, typer.Option("--method", "-X", help="Method of the request.")] = "GET",
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="NAME:VALUE", help="Field of the request.")
    ] = None,
    admin: AdminAddress = None,
    config: AdminConfig = None,
    json: Json = False,
) -> None:
    """Show how the cache would answer a request now, and the responses stored for its URL."""
    _check_url(url)
    try:
        question = cache_why.Question(url, method, tuple(header or ()))
    except ValueError as error:
        fail(str(error), MISUSED)
    findings = carry_out(admin_address(admin, config), cache_why.WHY, question)
    if json:
        print_json(to_json(findings))
        return
    for one in findings:
        print(f"worker {one.worker}: {one.decision} (route {one.route or '-'}): {one.detail}")
    rows = [{"worker": one.worker, **to_json(entry)} for one in findings for entry in one.entries]
    if rows:
        print()
        print_table(ENTRY, ([_cell(row[column]) for column in ENTRY] for row in rows))


def _check_url(url: str | None) -> None:
    """End the command if `url` names no host: an entry is stored for one."""
    if url is not None and not url.lower().startswith(("http://", "https://")):
        fail(f"{url!r} is not a whole URL; write http://host/path, with the host of the requests", MISUSED)


def _figure(value: object) -> object:
    return "" if value is None else value


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return " ".join(f"{name}={text}" for name, text in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value))
    return {True: "yes", False: ""}.get(value, value) if isinstance(value, bool) else value


def add(app: typer.Typer) -> None:
    """Add the verb to `app`."""
    app.add_typer(cache, name="cache")
