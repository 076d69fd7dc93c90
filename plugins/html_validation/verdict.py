"""The result of a check, for the response field and the log."""

from __future__ import annotations

from dataclasses import dataclass

from .syntax.errors import ParseError


@dataclass(frozen=True, slots=True)
class Verdict:
    """`count` errors, of which `errors` are the first. `complete` if the whole document was checked."""

    count: int
    errors: tuple[ParseError, ...]
    complete: bool = True

    @property
    def valid(self) -> bool:
        """True if no error was found."""
        return not self.count

    def field(self, outcome: str = "") -> bytes:
        """Return the value of the response field. The texts of errors are ours: codes and numbers."""
        parts = [f"errors={self.count}"]
        if self.errors:
            parts.append(f'first="{self.errors[0]}"')
        if not self.complete:
            parts.append("incomplete")
        if outcome:
            parts.append(outcome)
        return "; ".join(parts).encode()

    def listed(self) -> str:
        """Return the first errors for the log."""
        return ", ".join(map(str, self.errors))
