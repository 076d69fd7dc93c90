"""The primary figures as bars in one SVG drawing."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from benchmarks.measure import Result

WIDTH = 720
LABEL = 150
BAR = WIDTH - LABEL - 90
LINE = 18
UNITS = {
    "cpu_us": "µs of CPU each",
    "cpu_us_per_mb": "µs of CPU per MB",
    "machine_us": "µs of CPU of the machine",
    "machine_us_per_mb": "µs of CPU of the machine per MB",
    "kb_each": "KB each",
    "start_s": "seconds",
}
_STYLE = (
    "text{font:12px sans-serif;fill:#222}.title{font-weight:bold}.bar{fill:#9aa5b1}.ours{fill:#2563eb}"
    "@media (prefers-color-scheme:dark){text{fill:#ddd}.bar{fill:#6b7280}.ours{fill:#60a5fa}}"
)


def _bar(label: str, value: float, largest: float, top: int) -> str:
    width = max(1.0, BAR * value / largest)
    written = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    kind = "bar ours" if label.startswith("adc") else "bar"
    return (
        f'<text x="{LABEL - 8}" y="{top + 12}" text-anchor="end">{escape(label)}</text>'
        f'<rect class="{kind}" x="{LABEL}" y="{top + 2}" width="{width:.1f}" height="{LINE - 5}" rx="2"/>'
        f'<text x="{LABEL + width + 6:.1f}" y="{top + 12}">{written}</text>'
    )


def svg(results: Iterable[Result]) -> str:
    """A group of bars for each row that has figures; shorter is better in all of them."""
    parts = []
    top = 8
    for result in results:
        primary = result.row.primary
        values = {label: figures[primary] for label, figures in result.figures.items() if primary in figures}
        if not values or max(values.values()) <= 0:
            continue
        heading = f"{result.row.title} ({UNITS[primary]})"
        parts.append(f'<text class="title" x="8" y="{top + 14}">{escape(heading)}</text>')
        top += LINE + 4
        for label, value in values.items():
            parts.append(_bar(label, value, max(values.values()), top))
            top += LINE
        top += 12
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}">'
    )
    return "\n".join([opening, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])
