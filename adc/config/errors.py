"""Problems of a configuration, with their places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Path = tuple[str | int, ...]
"""Keys and list places (from 0) that lead to a value."""


class Mark(NamedTuple):
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """One thing that is wrong (or, in a lint, doubtful)."""

    mark: Mark
    path: Path
    message: str

    def __str__(self) -> str:
        where = path_text(self.path)
        return f"{self.mark}: {where}: {self.message}" if where else f"{self.mark}: {self.message}"


class ConfigErrors(Exception):
    """The configuration cannot be used. `problems` holds every reason; `str()` is one line for each."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(sorted(problems, key=lambda problem: problem.mark)))
        super().__init__("\n".join(map(str, self.problems)))


def path_text(path: Path) -> str:
    """Return a path such as `routes[3].match.path`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step if step.isprintable() else ascii(step)}"
    return text.removeprefix(".")
