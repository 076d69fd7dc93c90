"""Rows of several workers about the same members."""

from adc.control.operations import add_up


def row(**columns):
    return {"pool": "app", "member": "a", "state": "up", "active": 1, "requests": 2} | columns


def test_counters_add_up_and_words_stay():
    assert add_up([[row()], [row(state="down", active=3)]]) == [row(active=4, requests=4)]


def test_members_keep_the_order_of_the_first_worker():
    tables = [[row(member="b"), row(member="a")], [row(member="a"), row(member="c")]]
    assert [each["member"] for each in add_up(tables)] == ["b", "a", "c"]


def test_the_workers_own_rows_are_left_as_they_were():
    first = [row()]
    add_up([first, [row()]])
    assert first == [row()]
