"""`make docs`: writes docs/reference/ from the code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adc_plugins.waf.seclang import changes, names, settings
from adc_plugins.waf.seclang.parse import OWN
from typer import Context
from typer.main import get_command

from adc.cli.app import app
from adc.config import json_schema
from adc.telemetry.events import EVENTS
from adc.telemetry.families import FAMILIES
from docs.firewall_rules import firewall_rules
from docs.plugin_options import plugin_options
from docs.schema_tables import cell, met, part_lines

FOLDER = Path(__file__).with_name("reference")


def pages() -> dict[Path, Callable[[], str]]:
    """Return what makes each generated page, by file."""
    return {
        FOLDER / "configuration.md": configuration,
        FOLDER / "cli.md": command_line,
        FOLDER / "plugins.md": plugin_options,
        FOLDER / "metrics.md": metrics,
        FOLDER / "events.md": events,
        FOLDER / "seclang.md": seclang,
        FOLDER / "firewall-rules.md": firewall_rules,
    }


def configuration() -> str:
    """Return a section for each part of the configuration, in the order in which they are met."""
    schema = json_schema()
    parts = {
        "Configuration": schema,
        **{name: schema["$defs"][name] for name in met(schema, schema["$defs"])},
    }
    lines = [
        "# Configuration",
        "",
        "Made by `make docs` from the JSON Schema that `adc schema` prints. Any value may be `${NAME}` or",
        "`${NAME:-default}` from the environment. Where a list is allowed, one item may stand without the list.",
        "Durations are written `500ms`, `30s`, `10m`, `12h`, `7d`; sizes `64KB`, `10MB`, `1GB` (powers of 1024);",
        "shares `20%`.",
    ]
    for name, part in parts.items():
        lines += ["", f"## {name}", "", *part_lines(part)]
    return "\n".join(lines) + "\n"


def command_line() -> str:
    """Return every verb with its arguments and options."""
    lines = [
        "# Command line",
        "",
        "Made by `make docs` from the command; `adc VERB --help` prints the same. Exit codes: 0 success,",
        "1 failure, 2 usage or configuration error. `--json` prints JSON for programs.",
    ]
    for path, command in _verbs("adc", get_command(app)):
        arguments = [each for each in command.params if each.param_type_name == "argument"]
        names = [_placeholder(each) if each.required else f"[{_placeholder(each)}]" for each in arguments]
        lines += ["", f"## {path}", "", f"`{' '.join([path, *names])}`", "", *_paragraphs(command.help or "")]
        rows = [_parameter(each) for each in command.params]
        lines += ["", "| | |", "|---|---|", *rows] if rows else []
    return "\n".join(lines) + "\n"


def _verbs(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    context = Context(command)
    for name in sorted(command.list_commands(context)):
        yield from _verbs(f"{path} {name}", command.get_command(context, name))


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.split("\n\n")]


def _parameter(parameter: Any) -> str:
    help_text = cell((parameter.help or "").replace("\\[", "["))  # escaped for rich
    if parameter.param_type_name == "argument":
        return f"| `{cell(_placeholder(parameter))}` | {help_text} |"
    names = ", ".join(f"`{name}`" for name in parameter.opts)
    return f"| {names} | {help_text} |"


def _placeholder(argument: Any) -> str:
    """Return the word that stands for an argument in `--help`."""
    return str(argument.metavar or argument.name.upper())


def metrics() -> str:
    """Return every metric family."""
    lines = [
        "# Metrics",
        "",
        "Made by `make docs`. `/metrics` of the admin address, in the Prometheus text format, all workers together:",
        "counters and histograms are summed; the last column shows how gauges are merged.",
        "",
        "| metric | type | labels | | workers |",
        "|---|---|---|---|---|",
    ]
    for family in FAMILIES.values():
        labels = ", ".join(f"`{label}`" for label in family.labels)
        lines.append(f"| `{family.name}` | {family.type} | {labels} | {cell(family.help)} | {family.merge} |")
    return "\n".join(lines) + "\n"


def events() -> str:
    """Every event of the error log."""
    lines = [
        "# Events of the error log",
        "",
        "Made by `make docs`. Supervisor and workers write the same grammar, one line an event:",
        "",
        "```",
        '2026-09-21T14:13:20.250Z warn member_failed pool=app member=10.0.0.7:8080 detail="no response"',
        "```",
        "",
        "With `error_log: {format: json}` the same line is an object with `ts`, `level` and `event`, then the fields.",
        "Values are printable ASCII and at most 2000 characters long. The rate of each event is limited: a worker",
        "writes 20 lines of it at once, the supervisor 500, then 5 a second. `suppressed` on the next line is the",
        "number of lines that the limit suppressed before it.",
        "",
        "| event | level | fields | meaning |",
        "|---|---|---|---|",
    ]
    for event in EVENTS:
        fields = ", ".join(f"`{field}`" for field in event.fields)
        lines.append(f"| `{event.name}` | {event.level} | {fields} | {cell(event.meaning)} |")
    return "\n".join(lines) + "\n"


def seclang() -> str:
    """The words of rule files that are understood."""
    lists = {
        "Directives": (*OWN, *settings.NAMES, *changes.NAMES),
        "Directives without effect": settings.WITHOUT_EFFECT,
        "Variables": names.VARIABLES,
        "Operators": [f"@{name}" for name in names.OPERATORS],
        "Transformations": [f"t:{name}" for name in names.TRANSFORMATIONS],
        "Actions": names.ACTIONS,
        "Options of ctl": [f"ctl:{name}" for name in names.CONTROLS],
    }
    about = {
        "Directives without effect": "They are accepted, so that files of ModSecurity load unmodified. What they "
        "configure does not exist here, or is an option of the plugin.",
    }
    lines = [
        "# SecLang",
        "",
        "Made by `make docs`. Words that rule files may use; letter case does not count. Any other word is an error",
        "with file and line.",
    ]
    for title, words in lists.items():
        lines += ["", f"## {title}", "", *([about[title], ""] if title in about else [])]
        lines.append(", ".join(f"`{word}`" for word in sorted(words)))
    return "\n".join(lines) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for path, page in pages().items():
        path.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
