"""Records of the audit log, as `audit.py` writes them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class MatchRecord:
    """One match of a rule."""

    rule: int
    file: str
    line: int
    phase: int
    message: str
    data: str
    severity: str | None
    tags: tuple[str, ...]
    variable: str
    key: str
    value: str
    scores: Mapping[str, int]

    @property
    def place(self) -> str:
        """`FILE:LINE` of the rule."""
        return f"{self.file}:{self.line}"

    @property
    def name(self) -> str:
        """The variable as a rule names it: `ARGS:q`."""
        return f"{self.variable}:{self.key}" if self.key else self.variable


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One request in which rules matched."""

    time: str
    id: str
    client: str
    method: str
    host: str
    target: str
    route: str
    mode: str
    action: str
    status: int
    scores: Mapping[str, Any]
    matches: tuple[MatchRecord, ...]
    left_out: int

    @property
    def rejected(self) -> bool:
        """True if the request or its response was rejected, or would have been in detect mode."""
        return self.action not in ("pass", "allow")

    @property
    def scoring(self) -> tuple[MatchRecord, ...]:
        """The matches that looked at the request or response, not those that evaluate scores."""
        return tuple(
            match
            for match in self.matches
            if match.scores or match.variable not in ("", "TX", "HIGHEST_SEVERITY")
        )


def find_record(path: Path, request_id: str) -> AuditRecord | None:
    """Return the last record of a request, None without one."""
    wanted = json.dumps(request_id).encode()
    for line in lines_backwards(path):
        if wanted in line:
            record = read_record(line)
            if record is not None and record.id == request_id:
                return record
    return None


def read_record(line: bytes) -> AuditRecord | None:
    """Return the record of a line, None if it is not one."""
    try:
        value = json.loads(line)
        return AuditRecord(
            time=value["time"],
            id=value["id"],
            client=value["client"],
            method=value["method"],
            host=value["host"],
            target=value["target"],
            route=value["route"],
            mode=value["mode"],
            action=value["action"],
            status=value["status"],
            scores=_numbers(
                value["scores"], ("inbound", "outbound", "inbound_threshold", "outbound_threshold")
            ),
            matches=tuple(_match(each) for each in value["matches"]),
            left_out=value["matches_left_out"],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _match(value: Mapping[str, Any]) -> MatchRecord:
    return MatchRecord(
        rule=value["rule"],
        file=value["file"],
        line=value["line"],
        phase=value["phase"],
        message=value["msg"],
        data=value["data"],
        severity=value["severity"],
        tags=tuple(value["tags"]),
        variable=value["variable"],
        key=value["key"],
        value=value["value"],
        scores=_numbers(value["scores"], value["scores"]),
    )


def _numbers(scores: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    """Return `scores`. Raises TypeError unless those of `names` are numbers."""
    if not isinstance(scores, dict) or not all(isinstance(scores[name], int) for name in names):
        raise TypeError("scores are numbers by name")
    return scores


def lines_backwards(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file from the last to the first, without reading it whole."""
    with path.open("rb") as file:
        yield from _backwards(file, file.seek(0, os.SEEK_END))


def _backwards(file: BinaryIO, position: int) -> Iterator[bytes]:
    rest: list[bytes] = []
    while position:
        size = min(_CHUNK, position)
        position -= size
        file.seek(position)
        first, *lines = file.read(size).split(b"\n")
        if lines:
            yield lines.pop() + b"".join(reversed(rest))
            yield from reversed(lines)
            rest = []
        rest.append(first)
    yield b"".join(reversed(rest))
