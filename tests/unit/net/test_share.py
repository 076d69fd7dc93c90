"""How many connections a worker accepts, by what the others hold."""

import pytest

from adc.net.share import AWAY, BATCH, CELLS, Share


class Workers:
    """Workers that share memory, and what each holds."""

    def __init__(self, count):
        self.cells = [0] * CELLS
        self.held = [0] * count
        self.shares = [self._share(number) for number in range(count)]
        self.tick(100.0)
        self.tick(100.0)

    def _share(self, number):
        share = Share(self.cells, number)
        share.open_connections = lambda: self.held[number]
        return share

    def tick(self, now, *, without=(), accepts=True):
        for number, share in enumerate(self.shares):
            if number not in without:
                share.tick(now, accepts)

    def accept(self, number, waiting, now):
        """One worker hears of `waiting` connections; how many it takes."""
        share = self.shares[number]
        room = min(BATCH if share.alone else share.room(now), waiting)
        self.held[number] += room
        if not share.alone:
            share.took()
        return room


def test_one_that_is_alone_takes_what_comes():
    share = Share()
    share.open_connections = lambda: 1000
    share.tick(1.0, True)
    assert share.alone
    assert Workers(1).shares[0].alone
    assert not Workers(2).shares[0].alone


def test_a_burst_is_shared_though_one_wakes_up_first():
    workers = Workers(2)
    waiting, now = 64, 100.0
    while waiting:
        for number in range(2):
            while waiting and (taken := workers.accept(number, waiting, now)):
                waiting -= taken
        now += AWAY
    assert max(workers.held) <= 40


def test_worker_far_below_the_mean_accepts_whole_batches():
    workers = Workers(2)
    workers.held[1] = 1000
    workers.shares[1].took()
    assert workers.shares[0].room(100.0) == BATCH


@pytest.fixture
def ahead():
    """Worker 0 holds more than its share and has given way once, at 100."""
    workers = Workers(2)
    workers.held[0] = 50
    assert workers.accept(0, 9, 100.0) == 0
    return workers


def test_it_goes_on_giving_way_while_the_other_takes_some(ahead):
    for step in range(1, 5):
        assert ahead.accept(1, 5, 100.0) == 5
        assert ahead.accept(0, 9, 100.0 + step * AWAY) == 0


def test_it_waits_less_and_less_for_another_that_is_busy(ahead):
    turns = [ahead.accept(0, 9, 100.0 + step * AWAY) > 0 for step in range(1, 200)]
    assert turns[:3] == [True, False, True]
    assert turns[10:].count(False) < 10
    assert not all(turns[-50:])


def test_it_is_patient_again_when_the_other_takes_some(ahead):
    for step in range(1, 60):
        ahead.accept(0, 9, 100.0 + step * AWAY)
    assert ahead.accept(0, 9, 100.2) == 0
    ahead.accept(1, 9, 100.2)
    assert [ahead.accept(0, 9, 100.2 + step * AWAY) > 0 for step in range(1, 4)] == [False, True, False]


def test_another_socket_does_not_cut_the_wait_short(ahead):
    assert ahead.accept(0, 9, 100.0) == 0


def test_one_that_hangs_or_died_is_not_waited_for(ahead):
    ahead.tick(100.2, without=[1])
    assert ahead.accept(0, 9, 100.2) == 0
    ahead.tick(100.4, without=[1])
    assert ahead.accept(0, 9, 100.4) == 9


def test_one_that_does_not_accept_is_not_waited_for(ahead):
    ahead.shares[1].tick(100.1, False)
    ahead.shares[0].tick(100.1, True)
    assert ahead.accept(0, 9, 100.1) == 9


def test_a_number_beyond_the_memory_accepts_as_it_comes():
    share = Share([0] * CELLS, CELLS)
    share.open_connections = lambda: 1000
    share.tick(1.0, True)
    assert share.alone


def test_connections_beyond_a_share_are_for_others():
    workers = Workers(4)
    workers.held[:] = [64, 0, 0, 0]
    workers.tick(100.1)
    assert [share.surplus() for share in workers.shares] == [48, 0, 0, 0]


@pytest.mark.parametrize("held", [[20, 12], [100, 70], [9, 0]])
def test_random_differences_are_not_evened_out(held):
    workers = Workers(2)
    workers.held[:] = held
    workers.tick(100.1)
    assert [share.surplus() for share in workers.shares] == [0, 0]


def test_evening_out_goes_on_until_the_shares_are_even():
    workers = Workers(2)
    for held, surplus in (([64, 0], 32), ([45, 19], 13), ([38, 26], 0), ([45, 19], 0)):
        workers.held[:] = held
        workers.tick(100.1)
        assert workers.shares[0].surplus() == surplus


def test_one_that_is_alone_sends_nobody_away():
    workers = Workers(2)
    workers.held[:] = [1000, 0]
    workers.tick(100.1, without={0})
    workers.tick(200.0, without={1})
    assert workers.shares[0].surplus() == 0


def test_one_that_leaves_counts_no_more_and_says_nothing_more():
    workers = Workers(2)
    workers.shares[0].leave()
    workers.cells[0], workers.cells[1] = 7, 100_500  # of its successor
    workers.shares[0].tick(100.2, True)
    assert workers.cells[:2] == [7, 100_500]
    assert workers.shares[0].alone
    assert workers.shares[0].surplus() == 0
