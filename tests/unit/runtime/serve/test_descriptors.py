"""When descriptors are left again, and what it costs to find out."""

import pytest

from adc.runtime.serve import descriptors
from adc.runtime.serve.descriptors import DescriptorWatch, last_for_clients, most_for_datagrams
from tests.kit.descriptors import descriptor_limit


class Open:
    """So many descriptors are open; `lists` says how often they were listed."""

    def __init__(self, count, *, known=True, idle=0):
        self.idle = idle
        self.count = count
        self.known = known
        self.lists = 0

    def counted(self):
        return self.count if self.known else 0

    def listed(self):
        self.lists += 1
        return self.count

    def watch(self):
        return DescriptorWatch(self, self.counted, self.listed)

    def close_idle(self):
        self.count -= self.idle
        self.idle = 0


def test_they_are_left_again_well_under_the_limit():
    now_open = Open(1600)
    watch = now_open.watch()
    assert not watch.left(1600, 0.0)
    now_open.count = 1500
    assert not watch.left(1600, 0.1)
    now_open.count = 1499
    assert watch.left(1600, 0.2)
    assert now_open.lists == 0


def test_they_are_listed_once_a_second_at_the_most():
    now_open = Open(17000, known=False)
    watch = now_open.watch()
    assert not any(watch.left(16000, 50 + tick / 10) for tick in range(25))
    assert now_open.lists == 3
    now_open.count = 10
    assert not watch.left(16000, 52.5)
    assert watch.left(16000, 53.0)


def test_unknown_number_of_descriptors_is_not_plenty():
    def failing():
        raise OSError

    assert not DescriptorWatch(Open(1), failing, failing).left(100, 0.0)


def test_idle_connections_are_given_up_if_that_is_enough():
    now_open = Open(130, idle=20)
    watch = now_open.watch()
    assert not watch.left(128, 0.0)
    assert now_open.count == 110
    assert watch.left(128, 0.1)


@pytest.mark.parametrize("count", [128 + 20, 119])
def test_idle_connections_are_kept_if_it_is_not_enough_or_not_needed(count):
    now_open = Open(count, idle=20)
    now_open.watch().left(128, 0.0)
    assert now_open.idle == 20


def test_the_descriptors_of_this_process_are_counted():
    watch = DescriptorWatch(Open(0))
    assert watch.left(1 << 20, 0.0)
    assert not watch.left(1, 0.0)


def test_clients_may_have_half_of_them():
    with descriptor_limit(1000):
        assert last_for_clients() == 500


@pytest.mark.parametrize("limit", [64, 1000])
def test_clients_and_members_have_what_udp_sessions_leave(limit):
    with descriptor_limit(limit):
        used = most_for_datagrams(alone=False)
        assert last_for_clients(used) - used == (limit - used) // 2 > limit // 4


def test_it_is_not_known_whether_some_are_left_if_there_is_not_even_one_to_list_with():
    with descriptor_limit(0):
        assert not DescriptorWatch(Open(0), lambda: 0).left(1 << 30, 0.0)


def test_number_of_open_descriptors_is_read_without_a_list_where_the_kernel_knows_it(monkeypatch):
    monkeypatch.setattr(descriptors, "_counted", lambda: 0)
    listed = descriptors.opened()
    with open("/dev/null", "rb"):
        assert descriptors.opened() == listed + 1
    monkeypatch.setattr(descriptors, "_counted", lambda: 7)
    monkeypatch.setattr(descriptors, "_listed", pytest.fail)
    assert descriptors.opened() == 7
