from __future__ import annotations

import json
import pickle

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adc.telemetry.families import FAMILIES, Family
from adc.telemetry.histogram import Histogram
from adc.telemetry.samples import Sample, exposition, load, merge

LABELS = ("main", "shop", "200")


def test_counters_of_workers_are_summed_by_series() -> None:
    one = [Sample("adc_requests_total", LABELS, 3)]
    two = [Sample("adc_requests_total", LABELS, 4), Sample("adc_requests_total", ("main", "shop", "404"), 1)]
    assert merge([one, two]) == [
        ("adc_requests_total", LABELS, 7),
        ("adc_requests_total", ("main", "shop", "404"), 1),
    ]


@pytest.mark.parametrize(
    ("name", "labels", "merged"),
    [
        ("adc_connections_active", ("main",), 7),
        ("adc_config_info", ("abc",), 5),
        ("adc_member_up", ("web", "127.0.0.1:9000"), 2),
    ],
)
def test_gauges_merge_as_their_family_says(name: str, labels: tuple[str, ...], merged: float) -> None:
    assert merge([[Sample(name, labels, 2)], [Sample(name, labels, 5)]]) == [(name, labels, merged)]


def test_histograms_of_workers_add_up_and_keep_their_buckets_in_order() -> None:
    histograms = [Histogram((0.5, 2.0, 10.0)), Histogram((0.5, 2.0, 10.0))]
    histograms[0].observe(0.1)
    histograms[1].observe(3.0)
    merged = merge(histogram.samples("adc_request_duration_seconds", ("shop",)) for histogram in histograms)
    assert [(sample.labels[-1], sample.value) for sample in merged] == [
        ("0.5", 1),
        ("2.0", 1),
        ("10.0", 2),
        ("+Inf", 2),
        ("shop", 3.1),
        ("shop", 2),
    ]


def test_samples_travel_as_pickle_and_as_json() -> None:
    samples = [Sample("adc_requests_total", LABELS, 3), Sample("adc_reloads_total", ("ok",), 1.5)]
    assert pickle.loads(pickle.dumps(samples)) == samples
    assert load(json.loads(json.dumps(samples))) == samples
    assert load(json.loads(json.dumps(samples)))[0].labels == LABELS


def test_prometheus_reads_back_what_is_exposed() -> None:
    hostile = 'a"b\\c\nd é'
    text = exposition([Sample("adc_requests_total", ("main", hostile, "200"), 3)]).decode()
    (family,) = text_string_to_metric_families(text)
    assert (family.name, family.type) == ("adc_requests", "counter")
    assert family.samples[0].labels == {"listener": "main", "route": hostile, "code": "200"}
    assert family.samples[0].value == 3


def test_a_family_has_its_help_and_type_once() -> None:
    samples = [Sample("adc_reloads_total", (result,), 1) for result in ("ok", "refused")]
    lines = exposition(samples).decode().splitlines()
    assert lines == [
        "# HELP adc_reloads_total Reloads.",
        "# TYPE adc_reloads_total counter",
        'adc_reloads_total{result="ok"} 1.0',
        'adc_reloads_total{result="refused"} 1.0',
    ]


def test_undeclared_names_and_wrong_labels_are_refused() -> None:
    with pytest.raises(KeyError):
        exposition([Sample("adc_nope_total", (), 1)])
    with pytest.raises(KeyError):
        merge([[Sample("adc_nope_total", (), 1)]])
    with pytest.raises(ValueError, match="zip"):
        exposition([Sample("adc_requests_total", ("main",), 1)])


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_declared_family_is_exposed_under_its_own_name(family: Family) -> None:
    if family.type == "histogram":
        samples = Histogram().samples(family.name, family.labels)
    else:
        samples = [Sample(family.name, family.labels, 1)]
    assert f"\n# TYPE {family.name} {family.type}\n" in "\n" + exposition(samples).decode()
