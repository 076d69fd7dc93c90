from __future__ import annotations

from pathlib import Path

import pytest
from adc_plugins.waf.tools import audit_log
from adc_plugins.waf.tools.audit_log import find_record, lines_backwards, read_record
from adc_plugins.waf.tools.why import explanation

from tests.unit.plugins.waf.tools.records import line, match


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 65_536])
@pytest.mark.parametrize("text", [b"", b"a", b"a\n", b"a\nbb\n\nccc\n", b"\n\n", b"aaaaaaaa\nb"])
def test_lines_are_read_from_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, chunk: int
) -> None:
    monkeypatch.setattr(audit_log, "_CHUNK", chunk)
    path = tmp_path / "log"
    path.write_bytes(text)
    assert list(lines_backwards(path)) == text.split(b"\n")[::-1]


def test_record_is_found_by_its_id(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text("\n".join([line("r1", status=1), line("r2"), line("r1"), "no json", line("r10"), ""]))
    record = find_record(path, "r1")
    assert record is not None
    assert (record.id, record.status, record.matches[0].rule) == ("r1", 403, 7)
    assert find_record(path, "r3") is None


def test_line_that_is_no_record_is_none() -> None:
    assert read_record(b"[]") is None
    assert read_record(b"{}") is None
    assert read_record(b"\xff") is None


def test_explanation_names_rule_place_value_and_score() -> None:
    record = read_record(line(matches_left_out=2).encode())
    assert record is not None
    assert list(explanation(record)) == [
        "r1  2027-01-15T08:00:00.000Z  192.0.2.7  route web, mode block",
        "GET www.example.com/search?q=evil",
        "deny with status 403: inbound score 5 of 5, outbound score 0 of 4",
        "",
        "rule 7  CRITICAL  rules.conf:3",
        "  evil is not allowed",
        "  on ARGS:q = 'evil'",
        "  inbound_anomaly_score_pl1 +5",
        "2 more matches are not in the log",
    ]


def test_rules_that_evaluate_scores_are_no_cause() -> None:
    evaluation = match(rule=9, variable="TX", key="a", scores={})
    record = read_record(
        line("r1", match(), evaluation, match(rule=8, variable="", key="", scores={"s": 5})).encode()
    )
    assert record is not None
    assert [each.rule for each in record.scoring] == [7, 8]
