"""Deadlines are found in order, and only those that have passed are looked at."""

from adc.l4.tcp.deadlines import Deadlines


class Item:
    """Counts how often it is looked up."""

    def __init__(self):
        self.hashed = 0

    def __hash__(self):
        self.hashed += 1
        return id(self)


def test_items_are_due_by_their_own_time():
    deadlines = Deadlines()
    for item, seconds, now in (("a", 5.0, 1.0), ("b", 1.0, 2.0), ("c", 5.0, 2.0), ("d", 1.0, 9.0)):
        deadlines.add(item, seconds, now)
    assert deadlines.due(2.9) == []
    assert deadlines.due(3.0) == ["b"]
    assert sorted(deadlines.due(7.0)) == ["a", "b", "c"]


def test_added_again_counts_from_then():
    deadlines = Deadlines()
    deadlines.add("a", 5.0, 0.0)
    deadlines.add("a", 1.0, 1.0)
    assert deadlines.due(2.0) == ["a"]
    deadlines.remove("a")
    assert deadlines.due(99.0) == []
    assert ("a" in deadlines, len(deadlines)) == (False, 0)


def test_removal_of_an_unknown_item_does_nothing():
    Deadlines().remove("a")


def test_items_that_are_not_due_are_not_touched():
    deadlines = Deadlines()
    items = [Item() for _ in range(100)]
    for number, item in enumerate(items):
        deadlines.add(item, 5.0, float(number))
    before = [item.hashed for item in items]
    assert deadlines.due(6.0) == items[:2]
    assert [item.hashed for item in items] == before
