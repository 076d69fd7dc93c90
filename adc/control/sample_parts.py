"""Metrics on their way from a worker, packed part by part, so that many of them do not hold its loop."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Final

from adc.telemetry.samples import Sample

TURN: Final = 0.0005
"""Seconds after which other work has its turn. A group may take as long itself if its code was not used lately."""


async def packed(groups: Iterator[Iterable[Sample]]) -> list[bytes]:
    """Return the samples of all groups in parts; a group is read without a pause."""
    parts: list[bytes] = []
    part: list[tuple[object, ...]] = []
    end = perf_counter() + TURN
    for group in groups:
        part += map(tuple, group)  # which pickle in a quarter of the time
        if perf_counter() >= end:
            parts.append(pickle.dumps(part))
            part = []
            await asyncio.sleep(0)
            end = perf_counter() + TURN
    return [*parts, pickle.dumps(part)]


def unpacked(parts: Iterable[bytes]) -> list[Sample]:
    """Return the samples in `parts`."""
    return [Sample._make(each) for part in parts for each in pickle.loads(part)]
