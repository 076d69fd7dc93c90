from __future__ import annotations

from adc.telemetry.histogram import Histogram


def test_a_value_on_a_bound_belongs_to_its_bucket() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.0, 0.1, 0.100001, 1.0, 1.5):
        histogram.observe(seconds)
    assert histogram.counts == [2, 2, 1]


def test_samples_are_cumulative_with_sum_and_count() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.5, 5.0, 7.0):
        histogram.observe(seconds)
    assert histogram.samples("adc_request_duration_seconds", ("shop",)) == [
        ("adc_request_duration_seconds_bucket", ("shop", "0.1"), 1),
        ("adc_request_duration_seconds_bucket", ("shop", "1.0"), 2),
        ("adc_request_duration_seconds_bucket", ("shop", "+Inf"), 4),
        ("adc_request_duration_seconds_sum", ("shop",), 12.55),
        ("adc_request_duration_seconds_count", ("shop",), 4),
    ]
