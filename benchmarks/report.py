"""The results as a table for people (plain or Markdown) and as JSON data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from benchmarks.gates import Verdict
from benchmarks.measure import Result


class Column(NamedTuple):
    """One figure of the table: its heading and how a value is written."""

    key: str
    heading: str
    write: Callable[[float], str]


COLUMNS = (
    Column("cpu_us", "CPU µs", "{:.1f}".format),
    Column("cpu_us_per_mb", "CPU µs/MB", "{:.0f}".format),
    Column("machine_us", "machine CPU µs", "{:.1f}".format),
    Column("machine_us_per_mb", "machine CPU µs/MB", "{:.0f}".format),
    Column("kb_each", "KB each", "{:.1f}".format),
    Column("start_s", "start s", "{:.3f}".format),
    Column("master_us", "of it master", "{:.1f}".format),
    Column("rate", "per second", "{:,.0f}".format),
    Column("rate_per_cpu", "per CPU second", "{:,.0f}".format),
    Column("mb_per_s", "MB/s", "{:,.0f}".format),
    Column("p50_ms", "p50 ms", "{:.2f}".format),
    Column("p99_ms", "p99 ms", "{:.2f}".format),
    Column("bytes", "bytes", "{:,.0f}".format),
    Column("hits", "hits", "{:.1%}".format),
    Column("busy", "core busy", "{:.0%}".format),
    Column("connections", "connections", "{:,.0f}".format),
    Column("rss_mb", "RSS MB", "{:.0f}".format),
    Column("matched", "rules matched", "{:.0f}".format),
    Column("failed", "failed", "{:.0f}".format),
)
ONLY_FOR = {"master_us": "cpu_us", "cpu_us_per_mb": "cpu_us_per_mb", "mb_per_s": "cpu_us_per_mb"}
"""Columns that only rows with a certain primary figure show."""
BUSY = 0.8
IDLE_MEANS = "the load or other programs held it up, so compare CPU and not throughput"


def _columns(result: Result) -> list[Column]:
    seen = {key for figures in result.figures.values() for key in figures}
    primary = result.row.primary
    shown = [
        column for column in COLUMNS if column.key in seen and ONLY_FOR.get(column.key, primary) == primary
    ]
    if primary == "cpu_us_per_mb":
        shown = [column for column in shown if column.key not in ("cpu_us", "rate", "bytes")]
    return sorted(shown, key=lambda column: column.key != primary)


def table(result: Result) -> list[list[str]]:
    """Return heading and one line a contender; the last column is the primary figure as a ratio to the base."""
    columns = _columns(result)
    lines = [["", *(column.heading for column in columns), f"x {result.row.base}"]]
    for label, figures in result.figures.items():
        cells = [column.write(figures[column.key]) if column.key in figures else "" for column in columns]
        times = result.ratio(label)
        lines.append([label, *cells, "" if times is None else f"{times:.2f}"])
    return lines


def plain(lines: Sequence[Sequence[str]]) -> str:
    """Return columns aligned with spaces, the first to the left, the others to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, numbers to the right."""
    rule = ["---", *("--:" for _ in lines[0][1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


def verdict_line(verdict: Verdict) -> str:
    """Return `met`, `missed` or `not measured`, with the figure and the limit."""
    word = {True: "met", False: "missed", None: "not measured"}[verdict.met]
    gate = verdict.gate
    value = "" if verdict.value is None else f"{verdict.value:.2f}, "
    return (
        f"{word}: {gate.row}: {gate.text}: {value}{'at least' if gate.at_least else 'at most'} {gate.limit:g}"
    )


def text(results: Iterable[Result], verdicts: Iterable[Verdict], *, as_markdown: bool = False) -> str:
    """The whole report."""
    parts = []
    for result in results:
        parts.append(f"### {result.row.title}\n" if as_markdown else result.row.title)
        if result.figures:
            parts.append((markdown if as_markdown else plain)(table(result)))
        parts.extend(f"{label} skipped: {why}" for label, why in result.skipped.items())
        if idled := [
            label
            for label, figures in result.figures.items()
            if "p50_ms" in figures and figures["busy"] < BUSY
        ]:
            parts.append(
                f"note: {', '.join(idled)} left its core idle for over {100 * (1 - BUSY):.0f} %: {IDLE_MEANS}"
            )
        parts.append("")
    parts.extend(("- " if as_markdown else "") + verdict_line(verdict) for verdict in verdicts)
    return "\n".join(parts)


def data(results: Iterable[Result], verdicts: Iterable[Verdict], machine: dict[str, Any]) -> dict[str, Any]:
    """The report as JSON data: medians, rounds and ratios of each contender, gates, the machine."""
    return {
        "machine": machine,
        "rows": {result.row.name: _row_data(result) for result in results},
        "gates": [
            {"row": v.gate.row, "what": v.gate.text, "limit": v.gate.limit, "value": v.value, "met": v.met}
            for v in verdicts
        ],
    }


def _row_data(result: Result) -> dict[str, Any]:
    return {
        "title": result.row.title,
        "primary": result.row.primary,
        "base": result.row.base,
        "medians": result.figures,
        "ratios": {label: result.ratio(label) for label in result.rounds},
        "rounds": result.rounds,
        "skipped": result.skipped,
    }
