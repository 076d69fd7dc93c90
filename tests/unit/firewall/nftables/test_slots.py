"""Slots share members out by weight, and by hash few of them move when a member leaves."""

from collections import Counter

from adc.firewall.nftables.service import AT_RANDOM, BY_SOURCE, IN_TURN, Target
from adc.firewall.nftables.slots import HASHED_SLOTS, MOST_SLOTS, slots_of

ONE, TWO, THREE = (Target(f"10.0.0.{number}", 80, number) for number in (1, 2, 3))


def test_turns_are_spread_by_weight():
    assert [target.weight for target in slots_of([ONE, THREE], IN_TURN)] == [3, 1, 3, 3]


def test_equal_weights_need_one_slot_each():
    targets = [Target("10.0.0.1", 80, 500), Target("10.0.0.2", 80, 500)]
    assert slots_of(targets, AT_RANDOM) == targets


def test_large_weights_are_rounded_to_the_most_slots():
    assert len(slots_of([Target("10.0.0.1", 80, 9973), Target("10.0.0.2", 80, 1)], IN_TURN)) <= MOST_SLOTS


def test_hashed_slots_follow_weights():
    shares = Counter(slots_of([ONE, TWO, THREE], BY_SOURCE))
    assert sum(shares.values()) == HASHED_SLOTS
    assert shares[ONE] < shares[TWO] < shares[THREE]


def test_only_slots_of_the_member_that_leaves_move():
    before, after = slots_of([ONE, TWO, THREE], BY_SOURCE), slots_of([ONE, THREE], BY_SOURCE)
    assert all(now == then for then, now in zip(before, after, strict=True) if then != TWO)


def test_no_member_has_no_slot():
    assert slots_of([], BY_SOURCE) == []
