"""Draws a timeline as SVG: a column for each place, time from top to bottom, quiet times shortened and named."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from adc.cli.lab.timeline import CLOSED, FAILURE, OPENED, PROBE, REPEATED, RESET, Event, Timeline

ROW, GAP, TOP, LEFT = 24, 30, 44, 64
WIDE, NARROW = 280, 200
"""Width of a column in a drawing with up to three of them, and with more."""

_QUIET = 0.3
_BAND = 14
_CHARACTER = 6.7
_COLOURS = {RESET: "#b3261e", FAILURE: "#b3261e", REPEATED: "#a15c00", PROBE: "#5b4a9e"}
_PLAIN = "#1f4e79"
STYLE = """text{font:12px system-ui,sans-serif;fill:#222}.place{font-weight:600;font-size:14px}
.time,.quiet{fill:#666;font-size:11px}.line{stroke:#bbb}.entry{fill:#f2c14e;fill-opacity:.55}
.note{fill:#fff;stroke:#ccc}.band{fill:#666}"""


def svg(timeline: Timeline, title: str) -> str:
    """Return the drawing as a document of its own, with a title for screen readers."""
    rows, height = _placed(timeline)
    column = WIDE if len(timeline.places) <= 3 else NARROW
    columns = {place: LEFT + column // 2 + column * number for number, place in enumerate(timeline.places)}
    width = LEFT + column * len(columns)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>{_heads()}',
    ]
    for place, x in columns.items():
        parts.append(f'<line class="line" x1="{x}" y1="30" x2="{x}" y2="{height - 8}"/>')
        parts.append(f'<text class="place" x="{x}" y="20" text-anchor="middle">{escape(place)}</text>')
    parts += _bands(rows, columns, height)
    for y, passed, gap, event in rows:
        if gap >= _QUIET:
            parts.append(f'<text class="quiet" x="8" y="{y - ROW + 4}">{gap:.1f} s nothing</text>')
        parts.append(f'<text class="time" x="8" y="{y + 4}">{passed:.3f} s</text>')
        parts.append(
            _arrow(event, columns, y, column)
            if event.arrow
            else _note(event, columns[event.source], y, width)
        )
    return "\n".join([*parts, "</svg>\n"])


def _placed(timeline: Timeline) -> tuple[list[tuple[int, float, float, Event]], int]:
    """Return the events with their height on the drawing, and the height of the drawing."""
    y, rows = TOP, []
    for passed, gap, event in timeline.rows():
        y += GAP if gap >= _QUIET else 0
        rows.append((y, passed, gap, event))
        y += ROW
    return rows, y + 12


def _heads() -> str:
    markers = (
        f'<marker id="head-{colour[1:]}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
        f' orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        for colour in (_PLAIN, *dict.fromkeys(_COLOURS.values()))
    )
    return f"<defs>{''.join(markers)}</defs>"


def _bands(
    rows: list[tuple[int, float, float, Event]], columns: dict[str, int], height: int
) -> Iterator[str]:
    """Yield a band on a place for the time in which its table has entries."""
    for place, x in columns.items():
        entries, began = 0, 0
        for y, _, _, event in rows:
            if event.source == place and event.kind == OPENED:
                began = began if entries else y
                entries += 1
            elif event.source == place and event.kind == CLOSED and entries:
                entries -= 1
                if not entries:
                    yield _band(x, began, y)
        if entries:
            yield _band(x, began, height - 8)


def _band(x: int, top: int, bottom: int) -> str:
    return f'<rect class="entry" x="{x - _BAND // 2}" y="{top}" width="{_BAND}" height="{max(2, bottom - top)}"/>'


def _arrow(event: Event, columns: dict[str, int], y: int, column: int) -> str:
    colour = _COLOURS.get(event.kind, _PLAIN)
    start, end = columns[event.source], columns[event.target]
    sign = 1 if end > start else -1
    dashes = ' stroke-dasharray="5 3"' if event.kind in (PROBE, REPEATED) else ""
    where = f'x1="{start + 8 * sign}" y1="{y}" x2="{end - 8 * sign}" y2="{y}"'
    return (
        f'<line {where} stroke="{colour}" stroke-width="1.6"{dashes} marker-end="url(#head-{colour[1:]})"/>'
        f'<text x="{start + sign * column // 2}" y="{y - 4}" text-anchor="middle" style="fill:{colour}">'
        f"{escape(event.text[:40])}</text>"
    )


def _note(event: Event, x: int, y: int, width: int) -> str:
    """Draw a note beside its place, within the drawing."""
    colour = _COLOURS.get(event.kind, "#222")
    half = min(len(event.text) * _CHARACTER / 2 + 8, (width - LEFT) / 2)
    centre = min(max(x, LEFT + half), width - half)
    return (
        f'<rect class="note" x="{centre - half:.0f}" y="{y - 10}" width="{2 * half:.0f}" height="20" rx="4"/>'
        f'<text x="{centre:.0f}" y="{y + 4}" text-anchor="middle" style="fill:{colour}">{escape(event.text)}</text>'
    )
