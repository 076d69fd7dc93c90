"""Metrics of a route, as samples."""

from __future__ import annotations

from collections.abc import Iterator

from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Pipeline
from adc.telemetry.samples import Sample


def route_samples(pipeline: Pipeline[Exchange]) -> Iterator[Sample]:
    """Yield the metrics of a route, none before its first request."""
    counters, route = pipeline.counters, pipeline.name
    if not counters.statuses:
        return
    for tally in counters.statuses.values():
        yield Sample("adc_requests_total", (tally.listener, route, str(tally.status)), tally.count)
    yield from counters.durations.samples("adc_request_duration_seconds", (route,))
    for result, count in counters.mirrored.items():
        yield Sample("adc_mirror_compared_total", (route, result), count)
    yield Sample("adc_request_bytes_total", (route,), counters.bytes_in)
    yield Sample("adc_response_bytes_total", (route,), counters.bytes_out)
