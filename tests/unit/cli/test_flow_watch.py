"""Events of `adc sessions watch` about flows."""

from dataclasses import replace

from adc.cli.flow_watch import flow_changes
from adc.sessions.row import FlowRow

ROW = FlowRow(
    "flow", "0-1", "tcp", "db", "192.0.2.7:4711", "-", "app", "a", "new", 0, 0, 0, 0, 1.0, 1.0, 350.0, ""
)


def changes(before, after, ended=()):
    tables = ({row.id: row for row in rows} for rows in (before, after, ended))
    return [(event, row.id, row.reason) for event, row in flow_changes(*tables)]


def test_flow_that_opens_moves_and_changes_its_state():
    assert changes([], [ROW]) == [("opened", "0-1", "")]
    assert changes([ROW], [replace(ROW, state="established")]) == [("established", "0-1", "")]
    assert changes([ROW], [replace(ROW, member="b")]) == [("moved", "0-1", "")]
    assert changes([ROW], [ROW]) == []


def test_end_of_a_flow_has_its_reason():
    assert changes([ROW], [], [replace(ROW, reason="expired")]) == [("ended", "0-1", "expired")]


def test_flow_between_two_looks_is_reported():
    ended = replace(ROW, reason="closed")
    assert changes([], [], [ended]) == [("opened", "0-1", ""), ("ended", "0-1", "closed")]


def test_flow_that_the_worker_no_longer_remembers_has_ended():
    assert changes([ROW], []) == [("ended", "0-1", "")]
