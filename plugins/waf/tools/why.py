"""The text of `adc waf why`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from adc_plugins.waf.printable import json_line
from adc_plugins.waf.tools.audit_log import AuditRecord, MatchRecord

_LONGEST = 200


def explanation(record: AuditRecord) -> Iterator[str]:
    """Yield the lines that explain the decision about a request."""
    yield f"{record.id}  {record.time}  {record.client}  route {record.route}, mode {record.mode}"
    yield f"{record.method} {record.host}{record.target}"
    yield _decision(record)
    for match in record.matches:
        yield from _match(match)
    if record.left_out:
        yield f"{record.left_out} more matches are not in the log"


def as_json(record: AuditRecord) -> str:
    """Return the record as JSON."""
    return json_line(asdict(record), indent=1)


def _decision(record: AuditRecord) -> str:
    scores = record.scores
    inbound = f"inbound score {scores['inbound']} of {scores['inbound_threshold']}"
    outbound = f"outbound score {scores['outbound']} of {scores['outbound_threshold']}"
    return f"{record.action.replace('_', ' ')} with status {record.status}: {inbound}, {outbound}"


def _match(match: MatchRecord) -> Iterator[str]:
    yield ""
    yield f"rule {match.rule}  {match.severity or 'no severity'}  {match.place}"
    yield f"  {_bounded(match.message)}"
    if match.variable:
        yield f"  on {match.name} = {_bounded(match.value)!r}"
    if match.data:
        yield f"  {_bounded(match.data)}"
    for name, change in match.scores.items():
        yield f"  {name} {change:+}"


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
