"""`adc waf`: the operator's verbs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from adc_plugins.waf.printable import printable
from adc_plugins.waf.seclang.model import SecLangError
from adc_plugins.waf.tools import excluding, replaying, testing
from adc_plugins.waf.tools.audit_log import AuditRecord, find_record
from adc_plugins.waf.tools.uses import Use, waf_uses
from adc_plugins.waf.tools.why import as_json, explanation

waf = typer.Typer(
    help="Explain, exclude, replay and test what the firewall does.",
    no_args_is_help=True,
    add_completion=False,
)

FAILED, MISUSED = 1, 2

RequestId = Annotated[str, typer.Argument(help="Id on the error page and in the logs.", show_default=False)]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", help="Configuration; by default that of the running service.", show_default=False
    ),
]
Log = Annotated[
    Path | None,
    typer.Option("--log", help="Audit log, if it is not where the configuration says.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _fail(text: object, code: int = FAILED) -> NoReturn:
    print(text, file=sys.stderr)
    raise typer.Exit(code)


def _print(lines: Iterable[str]) -> None:
    print("\n".join(lines))


def _find(uses: list[Use], log: Path | None, request_id: str) -> AuditRecord:
    """Return the record of a request. The command ends without one."""
    logs = [log] if log is not None else list(dict.fromkeys(use.audit_log for use in uses if use.audit_log))
    if not logs:
        _fail(
            "no route has an audit log; add audit_log: PATH to the options of waf, or name one with --log",
            MISUSED,
        )
    for path in logs:
        try:
            record = find_record(path, request_id)
        except OSError as error:
            _fail(f"{path}: {error.strerror}")
        if record is not None:
            return record
    _fail(f"no record of {request_id} in {', '.join(map(str, logs))}")


@waf.command()
def why(
    context: typer.Context, request_id: RequestId, config: Config = None, log: Log = None, json: Json = False
) -> None:
    """Show which rules matched a request, on what, with their scores, files and lines."""
    uses = [] if log is not None else waf_uses(context.obj, config)
    record = _find(uses, log, request_id)
    _print([as_json(record)] if json else map(printable, explanation(record)))


@waf.command()
def exclude(
    context: typer.Context,
    request_id: RequestId,
    config: Config = None,
    log: Log = None,
    rule: Annotated[
        int | None,
        typer.Option(help="Exclude this rule alone, not every rule that matched.", show_default=False),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days until the exclusion ends.")] = 90,
) -> None:
    """Exclude the rules that matched a request: each for the variable it matched, on this path, for some time.

    Writes to the file that `exclusions` names in the options, and a test beside it. Reload the service afterwards.
    """
    uses = waf_uses(context.obj, config)
    record = _find(uses, log, request_id)
    use = next((use for use in uses if use.route == record.route), None)
    if use is None:
        _fail(f"the route {record.route} of the request has no waf now", MISUSED)
    try:
        for line in excluding.exclude(use, record, rule, days, time.time()):
            print(printable(line))
    except (excluding.CannotExclude, SecLangError, OSError) as error:
        _fail(error)


@waf.command()
def replay(
    context: typer.Context,
    recording: Annotated[
        Path, typer.Argument(help="Access log (combined or json) or HAR file.", show_default=False)
    ],
    config: Annotated[Path, typer.Argument(help="Configuration.", show_default=False)],
    json: Json = False,
    most: Annotated[int, typer.Option(min=1, help="Groups to show.")] = 50,
) -> None:
    """Show what the rules would have blocked of recorded requests, grouped by rule and path. Nothing is sent.

    An access log has no content and few header fields; a HAR file has all.
    """
    try:
        summary, unread = replaying.replay_file(recording, context.obj, config)
    except (SecLangError, OSError, ValueError) as error:
        _fail(error)
    lines = map(printable, replaying.report(summary, unread, most))
    _print([replaying.as_json(summary, unread)] if json else lines)


@waf.command("test")
def check(
    context: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG|FILE", help="Configuration, *.py, *.conf or *.tests.yaml.", show_default=False
        ),
    ],
    json: Json = False,
) -> None:
    """Check the examples of rules in Python and the tests beside SecLang files; exit code 1 if one fails."""
    try:
        results = testing.check_path(path, context.obj)
    except (SecLangError, OSError, ValueError) as error:
        _fail(error, MISUSED)
    _print([testing.as_json(results)] if json else map(printable, testing.report(results)))
    if not results or any(result.failures for result in results):
        raise typer.Exit(FAILED)
