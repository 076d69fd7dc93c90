"""Samples: one number of one metric, as workers send them to the supervisor and as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from adc.telemetry.families import Family, family_of

if TYPE_CHECKING:
    from prometheus_client.core import Metric


class Sample(NamedTuple):
    """`name` is a declared family's, or a histogram's with `_bucket`, `_sum` or `_count` after it.

    `labels` are the values of the family's labels in the order declared; a bucket has its `le` after them.
    A sample is a plain tuple: it pickles, and JSON makes a list of it that `load` reads back.
    """

    name: str
    labels: tuple[str, ...]
    value: float


def load(rows: Iterable[tuple[str, Iterable[str], float]]) -> list[Sample]:
    """Return the samples in a decoded JSON document."""
    return [Sample(name, tuple(labels), value) for name, labels, value in rows]


def merge(snapshots: Iterable[Iterable[Sample]]) -> list[Sample]:
    """Add up the snapshots of several processes; series stay in the order they were first seen.

    Counters and histograms are summed, gauges as their family says, so that no value depends on the order of
    the snapshots. Raises KeyError for a name that no family declares.
    """
    merged: dict[tuple[str, tuple[str, ...]], float] = {}
    for snapshot in snapshots:
        for name, labels, value in snapshot:
            key, family = (name, labels), family_of(name)
            known = merged.get(key)
            merged[key] = value if known is None else family.combine(known, value)
    return [Sample(name, labels, value) for (name, labels), value in merged.items()]


def exposition(samples: Iterable[Sample]) -> bytes:
    """Return the samples in the Prometheus text format 0.0.4, families by name, series in the order given.

    Raises KeyError for a name that no family declares, ValueError for a wrong number of labels.
    """
    from prometheus_client import CollectorRegistry, generate_latest  # which no worker needs

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(samples))
    return generate_latest(registry)


CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The media type of `exposition`."""


class _Snapshot:
    """A collector that knows one snapshot."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._families: dict[Family, list[Sample]] = {}
        for sample in samples:
            self._families.setdefault(family_of(sample.name), []).append(sample)

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import Metric

        for family, samples in sorted(self._families.items()):
            metric = Metric(family.name.removesuffix("_total"), family.help, family.type)
            for name, labels, value in samples:
                names = (*family.labels, "le") if name.endswith("_bucket") else family.labels
                metric.add_sample(name, dict(zip(names, labels, strict=True)), value)
            yield metric
