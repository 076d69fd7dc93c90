"""`adc doctor CONFIG`: timeouts that do not agree with each other, with the applications' or with this machine's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adc.cli.arguments import ConfigPath, Json
from adc.cli.loading import load_or_fail
from adc.cli.output import FAILED, MISUSED, fail, print_json, print_table

if TYPE_CHECKING:
    from adc.cli.probe import Question
    from adc.config import Config
    from adc.config.model.pools import Member
    from adc.config.timeouts import Finding, Seen

SLACK = 5.0
"""Seconds that a member is watched beyond the time for which its connections are kept."""

MOST_QUESTIONS = 20
"""Paths that one member is asked for."""

COLUMNS = ("pool", "member", "kept", "announced", "closed", "cookie")


def doctor(
    config: ConfigPath,
    live: Annotated[bool, typer.Option("--live", help="Measure the timeouts of the members.")] = False,
    wait: Annotated[
        float | None,
        typer.Option("--wait", min=0.1, help="Seconds to wait for a member to close; its pool's by default."),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option("--path", help="A path that sets the session cookie, such as a login page; repeatable."),
    ] = None,
    idle: Annotated[
        str,
        typer.Option(
            "--idle",
            metavar="DURATION",
            help="Longest pause of the applications on an open connection; their sessions must live longer.",
        ),
    ] = "",
    json: Json = False,
) -> None:
    """List contradictory timeouts with symptom and line; exit code 1 if there are any."""
    loaded = load_or_fail(config)
    rows, seen = asyncio.run(_look(loaded.config, wait, path or ())) if live else ([], {})
    found = loaded.timeouts(seen) + loaded.problems(_of_the_path(loaded.config, idle))
    if json:
        print_json({"mismatches": [str(problem) for problem in found], "members": rows})
    else:
        if rows:
            print_table(COLUMNS, ([_cell(row[column]) for column in COLUMNS] for row in rows))
        for row in rows:
            if row["error"]:
                print(f"{row['pool']} {row['member']}: {row['error']}")
        for problem in found:
            print(problem)
        if not found:
            print("the timeouts agree")
    if found:
        raise typer.Exit(FAILED)


def _of_the_path(config: Config, idle: str) -> Iterator[Finding]:
    """Yield session timeouts that break with the applications' pauses, or with the NAT of this machine."""
    from adc.config.session_timeouts import CONNTRACK, application_disagreements, conntrack_disagreements
    from adc.config.units import parse_duration

    if idle:
        try:
            yield from application_disagreements(config, parse_duration(idle))
        except ValueError as error:
            fail(str(error), MISUSED)
    kernel: dict[str, float] = {}
    for name in CONNTRACK.values():
        with suppress(OSError, ValueError):  # connection tracking is not loaded
            kernel[name] = float(Path("/proc/sys/net/netfilter", name).read_text())
    yield from conntrack_disagreements(config, kernel)


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.1f} s" if isinstance(value, float) else str(value)


def questions_of(config: Config, name: str, member: Member, paths: Sequence[str]) -> list[Question]:
    """Return the requests to send to `member` of the pool `name`: the health check's, those for `paths` and `/`, and
    some that match routes to the pool, because any of them may set the session cookie."""
    from adc.cli.probe import Question

    pool = config.pools[name]
    active = pool.health.active
    host = (active.host if active is not None else None) or member.address.host or "localhost"
    found = [Question(active.path, host)] if active is not None and active.path else []
    found += [Question(path, host) for path in (*paths, "/")]
    for route in config.routes:
        if name not in {route.pool, *(route.split or ())}:
            continue
        hosts = [rule.exact for rule in route.match.host if rule.exact] or [host]
        reached = [rule.exact or rule.prefix for rule in route.match.path]
        found += [
            Question(path, hosts[0]) for path in reached if path and path.isascii() and path.isprintable()
        ]
    return [each for each in dict.fromkeys(found) if each.path.startswith("/")][:MOST_QUESTIONS]


async def _look(
    config: Config, wait: float | None, paths: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], dict[tuple[str, str], Seen]]:
    """Return a row for each member that speaks HTTP, and the values seen at members that responded."""
    from adc.cli.probe import probe
    from adc.config.model.effects import HTTP
    from adc.config.pool_users import kinds, pool_users
    from adc.config.timeouts import Seen

    users = pool_users(config)
    asked = [
        (name, pool, member)
        for name, pool in config.pools.items()
        if not users[name] or HTTP in kinds(users[name])
        for member in pool.members
    ]
    answers = await asyncio.gather(
        *(
            probe(
                pool, member, questions_of(config, name, member, paths), wait or pool.keep_alive.idle + SLACK
            )
            for name, pool, member in asked
        ),
        return_exceptions=True,
    )
    rows: list[dict[str, Any]] = []
    seen: dict[tuple[str, str], Seen] = {}
    for (name, pool, member), answer in zip(asked, answers, strict=True):
        address = member.address.text
        error = ""
        if isinstance(answer, Seen):
            seen[name, address] = answer
        elif isinstance(answer, OSError | ValueError):
            error = str(answer) or type(answer).__name__
        else:
            raise answer
        shown = answer._asdict() if isinstance(answer, Seen) else dict.fromkeys(Seen._fields)
        rows.append({"pool": name, "member": address, "kept": pool.keep_alive.idle, "error": error, **shown})
    return rows, seen
