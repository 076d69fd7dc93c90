"""Records of the audit log, for tests."""

from __future__ import annotations

import json
from typing import Any


def match(**changes: Any) -> dict[str, Any]:
    """Return a match of rule 7 on ARGS:q."""
    return {
        "rule": 7,
        "file": "rules.conf",
        "line": 3,
        "phase": 2,
        "msg": "evil is not allowed",
        "data": "",
        "severity": "CRITICAL",
        "tags": ["attack"],
        "variable": "ARGS",
        "key": "q",
        "value": "evil",
        "scores": {"inbound_anomaly_score_pl1": 5},
    } | changes


def line(request_id: str = "r1", *matches: dict[str, Any], **changes: Any) -> str:
    """Return the line of a request that was rejected."""
    record = {
        "time": "2027-01-15T08:00:00.000Z",
        "id": request_id,
        "client": "192.0.2.7",
        "method": "GET",
        "host": "www.example.com",
        "path": "/search",
        "target": "/search?q=evil",
        "route": "web",
        "mode": "block",
        "action": "deny",
        "status": 403,
        "scores": {
            "inbound": 5,
            "outbound": 0,
            "inbound_levels": [5, 0, 0, 0],
            "outbound_levels": [0, 0, 0, 0],
            "inbound_threshold": 5,
            "outbound_threshold": 4,
        },
        "matches": list(matches) or [match()],
        "matches_left_out": 0,
    }
    return json.dumps(record | changes)
