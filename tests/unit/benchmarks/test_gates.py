import pytest

from benchmarks.gates import GATES, Gate, Verdict, judge
from benchmarks.rows import ROWS
from benchmarks.waf_engines import ENGINES
from benchmarks.waf_rows import WAF_ROWS


def verdict_of(results, text):
    return next(verdict for verdict in judge(results) if verdict.gate.text == text)


def test_a_ratio_within_its_limit_is_met():
    results = {"get": {"nginx": [{"cpu_us": 20.0}], "adc": [{"cpu_us": 40.0}]}}
    assert verdict_of(results, "CPU per request / nginx").met is True


def test_a_ratio_over_its_limit_is_missed():
    results = {"get": {"nginx": [{"cpu_us": 20.0}], "adc": [{"cpu_us": 44.1}]}}
    verdict = verdict_of(results, "CPU per request / nginx")
    assert verdict.met is False
    assert verdict.value == pytest.approx(2.205)


def test_a_gate_that_asks_for_at_least_is_missed_below_its_limit():
    gate = Gate("get", "throughput / Caddy", "rate", 2.5, "caddy", at_least=True)
    assert [Verdict(gate, value).met for value in (2.4, 2.5, 2.6)] == [False, True, True]


def test_a_gate_without_a_base_judges_the_figure_itself():
    results = {"start": {"adc": [{"start_s": 2.5}]}}
    assert verdict_of(results, "seconds to the first answer").met is False


def test_a_gate_between_two_ways_to_run_adc_compares_those():
    results = {"routes": {"adc": [{"cpu_us": 50.0}], "adc-routes-10000": [{"cpu_us": 60.0}]}}
    assert verdict_of(results, "CPU with 10,000 routes / with 10").value == pytest.approx(1.2)


def test_a_gate_whose_peer_was_not_measured_is_neither_met_nor_missed():
    assert verdict_of({"get": {"adc": [{"cpu_us": 40.0}]}}, "CPU per request / nginx").met is None


def test_rows_that_were_not_run_have_no_verdict():
    assert judge({}) == []


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: f"{gate.row}-{gate.key}")
def test_every_gate_names_contenders_of_a_row(gate):
    contenders = ENGINES if gate.row in WAF_ROWS else ROWS[gate.row].contenders
    assert gate.subject in contenders
    assert not gate.base or gate.base in contenders
