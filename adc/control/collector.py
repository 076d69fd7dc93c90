"""The garbage collector of a process that serves."""

from __future__ import annotations

import gc

_THRESHOLDS = (1_000, 1, 10_000)
"""A request leaves no cycles behind, so that looking for them often is waste.

A collection takes about 0.3 us for each object of its generation, and nothing else runs meanwhile. So the first two
generations are small (less than a millisecond), and the third, which would have every session of a large table, is
collected after 20 million objects more were made than freed.
"""


def spare_started() -> None:
    """Leave what this process has started out of every later collection, and collect seldom.

    It is called once, by the owner of the process: what a caller drops afterwards, such as a worker that has drained,
    would never be freed.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
