import pytest

from benchmarks.under_load import Seen, parse_seen

QUIET = "Running 2s test\n  900 requests in 2.00s, 1.00MB read\nRequests/sec: 450.00\n"


def test_a_run_without_errors():
    assert parse_seen(QUIET) == Seen(900, 0, 0)


def test_broken_connections_and_refusals_are_failures():
    report = QUIET + "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n"
    assert parse_seen(report) == Seen(900, 10, 5)
    assert parse_seen(report).failed == 15


def test_invalid_report_is_rejected():
    with pytest.raises(ValueError, match="not a report"):
        parse_seen("unable to connect")
