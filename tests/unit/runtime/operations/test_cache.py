"""Purges that all workers make, and figures of several workers."""

from dataclasses import fields

import pytest

from adc.runtime.operations import cache
from adc.runtime.operations.cache import Purge, Purged, StoreRow
from adc.runtime.operations.convert import to_json
from adc.runtime.operations.operation import BadRequest


class FakeNode:
    """Three workers: one store is shared, each has one of its own."""

    shares_state = True

    def __init__(self):
        self.asked = []

    async def one(self, operation, request):
        self.asked.append(request)
        return {"shared": 2}

    async def all(self, operation, request):
        self.asked.append(request)
        return {number: {"own": 1} for number in range(3)}


async def test_counts_of_shared_stores_and_of_each_workers_own_are_added():
    node = FakeNode()
    reply = await cache.PURGE.coordinate(node, Purge(tag="news"))
    assert reply == Purged(5, {"shared": 2, "own": 3})
    assert [(each.scope, each.target, each.part) for each in node.asked] == [
        ("tag", "news", "shared"),
        ("tag", "news", "own"),
    ]


@pytest.mark.parametrize("wrong", [{}, {"url": "a", "tag": "b"}, {"url": "a", "all": True}, {"soft": True}])
def test_purge_names_exactly_one_scope(wrong):
    with pytest.raises(BadRequest, match="say what"):
        Purge(**wrong)


def test_purge_of_an_empty_target_is_refused():
    with pytest.raises(BadRequest, match="prefix is empty"):
        Purge(prefix="")


def figures(**columns):
    empty = {field.name: 0 for field in fields(StoreRow) if field.type == "int"}
    return StoreRow(**{"store": "site", **empty, **columns})


def test_figures_add_up_except_for_what_workers_share():
    rows = [figures(hits=1, memory_limit=9, disk_bytes=5), figures(hits=2, memory_limit=9, disk_bytes=6)]
    (merged,) = cache.STATS.merge({0: [rows[0]], 1: [rows[1]]})
    assert (merged.hits, merged.memory_limit, merged.disk_bytes) == (3, 9, 6)


def test_figures_of_the_disk_are_left_out_without_a_disk():
    assert "disk_bytes" not in to_json(figures())
    assert to_json(figures(disk_bytes=0))["disk_bytes"] == 0
