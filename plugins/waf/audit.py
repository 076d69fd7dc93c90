"""The audit log: one JSON line for each transaction in which a rule matched."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from adc_plugins.waf.engine.results import RuleMatch, Scores
from adc_plugins.waf.masking import MASK, Masking
from adc_plugins.waf.printable import json_line

from adc.plugin import Context

MOST_MATCHES = 100
LONGEST_VALUE = 500
LONGEST_TARGET = 2000
SEVERITIES = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")


class AuditRecords:
    """Makes the records of one use of the plugin; `adc waf why` reads them."""

    def __init__(self, mode: str, masking: Masking) -> None:
        self._mode = mode
        self._masking = masking

    def line(
        self,
        context: Context,
        now: float,
        action: str,
        status: int,
        scores: Scores,
        matches: Iterable[RuleMatch],
    ) -> str:
        """Return the line of one transaction."""
        return json_line(self.record(context, now, action, status, scores, matches))

    def record(
        self,
        context: Context,
        now: float,
        action: str,
        status: int,
        scores: Scores,
        matches: Iterable[RuleMatch],
    ) -> Mapping[str, Any]:
        """Return the record of one transaction. `action` is what became of it, in detect mode what would have."""
        request, logged = context.request, [match for match in matches if match.audit]
        return {
            "time": _time(now),
            "id": context.request_id,
            "client": context.client,
            "method": request.method,
            "host": request.authority,
            "path": self._masking.text(request.path[:LONGEST_TARGET]),
            "target": self._masking.target(request.received_target[:LONGEST_TARGET]),
            "route": context.route,
            "mode": self._mode,
            "action": action,
            "status": status,
            "scores": asdict(scores),
            "matches": [self._match(match) for match in logged[:MOST_MATCHES]],
            "matches_left_out": max(0, len(logged) - MOST_MATCHES),
        }

    def _match(self, match: RuleMatch) -> Mapping[str, Any]:
        masking, key = self._masking, _text(match.key)
        hidden = masking.is_sensitive(match.variable, key)
        return {
            "rule": match.rule_id,
            "file": match.place.file,
            "line": match.place.line,
            "phase": match.phase,
            "msg": masking.text(_text(match.message)),
            "data": MASK if hidden else masking.text(_text(match.data)),
            "severity": None if match.severity is None else SEVERITIES[match.severity],
            "tags": list(match.tags),
            "variable": match.variable,
            "key": key,
            "value": MASK if hidden else masking.text(_text(match.value)),
            "scores": dict(match.scores),
        }


def _text(value: bytes) -> str:
    """Return bytes as text of a bounded length; other bytes than UTF-8 are escaped."""
    return value[:LONGEST_VALUE].decode("utf-8", "backslashreplace")


def _time(seconds: float) -> str:
    milliseconds = int(seconds * 1000) % 1000
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03}Z"
