from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from adc.telemetry.histogram import Histogram
from adc.telemetry.samples import Sample, exposition, merge

NAMES = ("adc_connections_total", "adc_connections_active", "adc_pool_members_available", "adc_config_info")
samples = st.builds(
    Sample, st.sampled_from(NAMES), st.tuples(st.sampled_from("abc")), st.integers(0, 10**9).map(float)
)
snapshots = st.lists(samples, max_size=12).map(
    lambda found: list({found[:2]: found for found in found}.values())
)


@given(snapshots, snapshots, snapshots)
def test_merge_is_associative(one: list[Sample], two: list[Sample], three: list[Sample]) -> None:
    assert merge([merge([one, two]), three]) == merge([one, merge([two, three])]) == merge([one, two, three])


@given(snapshots, snapshots)
def test_merge_is_commutative(one: list[Sample], two: list[Sample]) -> None:
    assert sorted(merge([one, two])) == sorted(merge([two, one]))


@given(snapshots)
def test_a_snapshot_alone_is_unchanged(one: list[Sample]) -> None:
    assert merge([one]) == merge([one, []]) == one


@given(st.lists(st.floats(0, 1e6)))
def test_every_observation_is_in_one_bucket_and_in_the_count(observed: list[float]) -> None:
    histogram = Histogram()
    for seconds in observed:
        histogram.observe(seconds)
    *buckets, _, count = histogram.samples("adc_request_duration_seconds", ("shop",))
    assert sum(histogram.counts) == count.value == buckets[-1].value == len(observed)
    assert [bucket.value for bucket in buckets] == sorted(bucket.value for bucket in buckets)
    for bound, bucket in zip(histogram.bounds, buckets, strict=False):
        assert bucket.value == sum(seconds <= bound for seconds in observed)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_any_label_value_reads_back(text: str) -> None:
    (family,) = text_string_to_metric_families(
        exposition([Sample("adc_connections_total", (text,), 1)]).decode()
    )
    assert family.samples[0].labels == {"listener": text}
