import json

import pytest

from benchmarks.loads.handshakes import parse_connections
from benchmarks.loads.outcome import LoadError, Outcome, figures_of, parse_outcome
from benchmarks.processes import Usage

COUNTED = {
    "requests": 80000,
    "bytes": 32_000_000,
    "microseconds": 2_500_000,
    "p50": 2270.0,
    "p99": 3700.5,
    "errors": 0,
    "refused": 0,
}
WRK = f"Running 3s test @ http://127.0.0.1:40001/\nRequests/sec:  26888.11\n{json.dumps(COUNTED)}\n"
S_TIME = """Collecting connection statistics for 3 seconds
***
2250 connections in 0.75s; 3000.00 connections/user sec, bytes read 0
2250 connections in 4 real seconds, 0 bytes read per connection
"""


def outcome(**changes):
    return parse_outcome(WRK)._replace(**changes)


def test_the_json_line_is_found_in_the_output_of_wrk():
    assert parse_outcome(WRK) == Outcome(**COUNTED)


def test_wrk_without_a_result_is_an_error_that_shows_what_it_said():
    with pytest.raises(LoadError, match="unable to connect"):
        parse_outcome("unable to connect to 127.0.0.1:1 Connection refused")


def test_cpu_per_request_divides_the_cpu_time_by_the_requests():
    assert figures_of(outcome(), Usage(2.0, 0.1, 0))["cpu_us"] == pytest.approx(25.0)


def test_the_master_process_is_told_apart():
    assert figures_of(outcome(), Usage(2.0, 0.1, 0))["master_us"] == pytest.approx(1.25)


def test_cpu_per_megabyte_divides_the_cpu_time_by_the_bytes():
    assert figures_of(outcome(), Usage(2.0, 0.0, 0))["cpu_us_per_mb"] == pytest.approx(62_500)


def test_rates_are_per_second_of_the_run():
    figures = figures_of(outcome(), Usage(2.0, 0.0, 0))
    assert (figures["rate"], figures["mb_per_s"], figures["busy"]) == pytest.approx((32_000, 12.8, 0.8))


def test_latencies_are_milliseconds():
    figures = figures_of(outcome(), Usage(2.0, 0.0, 0))
    assert (figures["p50_ms"], figures["p99_ms"]) == pytest.approx((2.27, 3.7005))


def test_a_few_failures_are_reported_with_the_figures():
    assert figures_of(outcome(errors=3, refused=4), Usage(2.0, 0.0, 0))["failed"] == 7


def test_a_run_with_many_failures_counts_for_nothing():
    with pytest.raises(LoadError, match="80000 of 80000 requests failed"):
        figures_of(outcome(refused=80000), Usage(2.0, 0.0, 0))


def test_a_run_without_requests_counts_for_nothing():
    with pytest.raises(LoadError):
        figures_of(outcome(requests=0), Usage(2.0, 0.0, 0))


def test_handshakes_are_those_of_the_whole_time_not_of_user_time():
    assert parse_connections(S_TIME.replace("2250 connections in 0.75s", "9 connections in 0.75s")) == 2250


def test_s_time_without_a_result_is_an_error():
    with pytest.raises(LoadError, match="connect error"):
        parse_connections("40670000:error: connect error")
