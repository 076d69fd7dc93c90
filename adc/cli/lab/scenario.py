"""A scenario of the laboratory, and what a run of it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from adc.cli.lab.drawing import svg
from adc.cli.lab.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Finding:
    """What a run found: `facts` by name, in order, the timeline, and the configuration of the (first) device."""

    facts: dict[str, str]
    timeline: Timeline
    configuration: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """`text` says what is set up and what to look at. `run` gets a new folder. `needs` are programs."""

    name: str
    title: str
    text: str
    run: Callable[[Path], Finding] = field(repr=False)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario with what its run found; `skipped` says why there was none."""

    scenario: Scenario
    finding: Finding | None = None
    skipped: str = ""

    @property
    def drawing(self) -> str:
        """Return the timeline as SVG, "" without one."""
        return svg(self.finding.timeline, self.scenario.title) if self.finding else ""

    def text(self) -> str:
        """Return title, facts and timeline for a terminal."""
        head = f"{self.scenario.title} ({self.scenario.name})"
        lines = [head, "=" * len(head), self.scenario.text, ""]
        if self.finding is None:
            return "\n".join([*lines, f"skipped: {self.skipped}", ""])
        width = max(map(len, self.finding.facts), default=0)
        lines += [f"{name:{width}}  {value}" for name, value in self.finding.facts.items()]
        return "\n".join([*lines, "", self.finding.timeline.text(), ""])

    def data(self) -> dict[str, object]:
        """Return the result as JSON data."""
        found = self.finding
        timeline = (
            []
            if found is None
            else [
                {
                    "seconds": round(passed, 6),
                    "from": event.source,
                    "to": event.target,
                    "kind": event.kind,
                    "text": event.text,
                }
                for passed, _, event in found.timeline.rows()
            ]
        )
        return {
            "name": self.scenario.name,
            "title": self.scenario.title,
            "skipped": self.skipped,
            "facts": found.facts if found else {},
            "timeline": timeline,
        }
