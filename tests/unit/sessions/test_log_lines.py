"""Lines of the session log, rows for operators, and filters."""

import json

import pytest

from adc.sessions.ended import EndedSessions
from adc.sessions.filter import FlowFilter
from adc.sessions.row import address_text, ended_row, flow_row
from adc.sessions.session import ESTABLISHED, Session, Timeouts
from adc.sessions.session_log import MOST_LINES, SessionLog, json_line, text_line

WALL = 1_764_396_000.0


def session(client=("192.0.2.7", 40312), last=1040.0):
    flow = Session("tcp", "db", client, ("198.51.100.1", 5432), Timeouts(10.0, 350.0, 5.0))
    flow.pool, flow.member, flow.state = "pg", "10.0.0.5:5432", ESTABLISHED
    flow.number, flow.created, flow.last = 7, 1000.0, last
    flow.bytes_in, flow.bytes_out, flow.packets_in, flow.packets_out = 1811, 402, 9, 31
    return flow


def ended(**options):
    return EndedSessions().add(session(**options), "expired", 1390.021)


def test_text_line_says_both_ends_times_counters_and_reason():
    assert text_line(ended(), WALL) == (
        "192.0.2.7:40312 [29/Nov/2025:05:53:29 +0000] tcp db pg/10.0.0.5:5432 established 390.021 "
        "1811 402 9 31 expired"
    )


def test_json_line_has_the_same_facts():
    line = json.loads(json_line(ended(), WALL))
    assert line == {
        "time": "2025-11-29T06:00:00.000Z",
        "started": "2025-11-29T05:53:29.979Z",
        "protocol": "tcp",
        "listener": "db",
        "client": "192.0.2.7:40312",
        "own": "198.51.100.1:5432",
        "pool": "pg",
        "member": "10.0.0.5:5432",
        "state": "established",
        "reason": "expired",
        "bytes_in": 1811,
        "bytes_out": 402,
        "packets_in": 9,
        "packets_out": 31,
        "duration": 390.021,
        "idle": 350.021,
    }


def test_path_of_a_client_cannot_break_a_line():
    hostile = ended(client='/run/a"\n1.2.3.4:5 [x]')
    assert "\n" not in text_line(hostile, WALL)
    assert json.loads(json_line(hostile, WALL))["client"] == '/run/a"\n1.2.3.4:5 [x]'


def test_many_lines_are_written_before_the_next_flush(tmp_path):
    log = SessionLog(str(tmp_path / "s.log"), "text")
    for _ in range(MOST_LINES):
        assert not (tmp_path / "s.log").read_text()
        log.write(ended(), 1100.0)
    assert (tmp_path / "s.log").read_text().count("\n") == MOST_LINES


def test_log_writes_in_its_format(tmp_path):
    log = SessionLog(str(tmp_path / "s.log"), "json")
    log.write(ended(), WALL)
    log.flush()
    assert json.loads((tmp_path / "s.log").read_text())["reason"] == "expired"


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (("2001:db8::1", 80, 0, 0), "[2001:db8::1]:80"),
        (("192.0.2.1", 80), "192.0.2.1:80"),
        (b"/run/x", "/run/x"),
        ("", "-"),
        (None, "-"),
    ],
)
def test_addresses_as_text(address, text):
    assert address_text(address) == text


def test_row_of_a_live_flow_has_wall_clock_times_and_the_time_left():
    row = flow_row(session(), 3, 1050.0, WALL)
    assert (row.kind, row.id, row.state) == ("flow", "3-7", "established")
    assert (row.created, row.seen, row.left) == (WALL - 50, WALL - 10, 340.0)


def test_row_of_an_ended_flow_has_its_reason():
    row = ended_row(ended(), 0, 1400.0, WALL)
    assert (row.reason, row.left, row.seen) == ("expired", 0.0, WALL - 360)


@pytest.mark.parametrize(
    ("conditions", "matches"),
    [
        ({}, True),
        ({"protocol": "tcp", "listener": "db", "pool": "pg", "member": "10.0.0.5:5432"}, True),
        ({"protocol": "udp"}, False),
        ({"listener": "x"}, False),
        ({"pool": "x"}, False),
        ({"member": "x"}, False),
        ({"client": "192.0.2.7"}, True),
        ({"client": "192.0.2.0/24"}, True),
        ({"client": "192.0.2.7:40312"}, True),
        ({"client": "192.0.2.7:1"}, False),
        ({"client": "2001:db8::/32"}, False),
        ({"state": "established"}, True),
        ({"state": "new"}, False),
        ({"idle": 10.0}, True),
        ({"idle": 10.1}, False),
    ],
)
def test_filter_joins_its_conditions(conditions, matches):
    assert FlowFilter(**conditions).matches(session(), 1050.0) is matches


def test_filter_finds_ipv4_clients_of_ipv6_sockets():
    assert FlowFilter(client="192.0.2.0/24").matches(session(("::ffff:192.0.2.7", 1, 0, 0)), 1050.0)


@pytest.mark.parametrize("wrong", [{"state": "open"}, {"protocol": "icmp"}])
def test_filter_names_what_is_allowed(wrong):
    with pytest.raises(ValueError, match=r"unknown .*; use one of"):
        FlowFilter(**wrong)
