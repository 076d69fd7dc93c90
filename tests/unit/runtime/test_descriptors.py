"""When descriptors are left again, and what it costs to find out."""

from adc.runtime.descriptors import Watch


class Open:
    """So many descriptors are open; `lists` says how often they were listed."""

    def __init__(self, count, *, known):
        self.count = count
        self.known = known
        self.lists = 0

    def counted(self):
        return self.count if self.known else 0

    def listed(self):
        self.lists += 1
        return self.count

    def watch(self):
        return Watch(self.counted, self.listed)


def test_they_are_left_again_well_under_the_limit():
    now_open = Open(1600, known=True)
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


def test_what_cannot_be_found_out_is_not_taken_for_plenty():
    def failing():
        raise OSError

    assert not Watch(failing, failing).left(100, 0.0)


def test_the_descriptors_of_this_process_are_counted():
    assert Watch().left(1 << 20, 0.0)
    assert not Watch().left(1, 0.0)
