"""Chunks on their way through phases that take long."""

import asyncio
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adc.proxy.plugins.flow import LARGEST, PIECE, PluginFlow, next_size


class Content:
    """Phases that pass each chunk, after `seconds` of work."""

    waits = False

    def __init__(self, seconds=0.005):
        self.seconds = seconds
        self.fed = []

    def feed(self, data, end):
        started = perf_counter()
        while perf_counter() - started < self.seconds:
            pass
        self.fed.append(data)
        return data

    @property
    def finished(self):
        return False


class Sender:
    """Holds and releases, and what comes out of the flow."""

    def __init__(self, content):
        self.passed, self.events = [], []
        self.ended = asyncio.Event()
        self.flow = PluginFlow(
            self.receive, self.fail, lambda end: self.events.append("hold"), lambda: self.events.append("go")
        )
        self.flow.content = content

    def receive(self, data, end):
        self.passed.append(data)
        if end:
            self.ended.set()

    def fail(self, error):
        raise error


async def test_large_chunk_lets_other_exchanges_go_on_between_its_pieces():
    sender = Sender(Content())
    sender.flow.push(bytes(3 * PIECE), False)
    assert sender.passed == [bytes(PIECE)]
    assert sender.events == ["hold"]
    turns = 0
    while sender.events[-1] != "go":
        await asyncio.sleep(0)
        turns += 1
    assert turns >= 3
    assert b"".join(sender.passed) == bytes(3 * PIECE)


async def test_flows_that_take_long_share_one_iteration():
    senders = [Sender(Content()) for _ in range(5)]
    for sender in senders:
        sender.flow.push(bytes(PIECE), False)  # the first piece of each passes at once
        sender.flow.push(bytes(PIECE), False)
    assert [len(sender.passed) for sender in senders] == [1] * 5
    for number in range(1, 6):
        await asyncio.sleep(0)
        assert [len(sender.passed) for sender in senders] == [2] * number + [1] * (5 - number)


async def test_chunks_that_cost_little_pass_at_once():
    sender = Sender(Content(seconds=0))
    sender.flow.push(bytes(2 * PIECE), False)
    assert len(sender.passed) == 2
    assert sender.events == []


@pytest.mark.parametrize(("seconds", "following"), [(0.0001, 2 * PIECE), (0.002, PIECE), (0.005, PIECE // 2)])
def test_pieces_grow_while_the_phases_are_quick_and_shrink_while_they_are_not(seconds, following):
    assert next_size(PIECE, seconds) == following


def test_size_of_pieces_has_bounds():
    assert next_size(LARGEST, 0) == LARGEST
    assert next_size(4096, 1) == 4096


async def test_large_chunk_is_cut_as_the_phases_allow():
    content = Content(seconds=0)
    sender = Sender(content)
    while not sender.passed or len(sender.passed[-1]) < LARGEST:
        sender.passed.clear()
        sender.flow.push(bytes(4 * LARGEST), False)
    content.seconds = 0.005
    sender.passed.clear()
    sender.flow.push(bytes(2 * LARGEST - 1), True)
    await sender.ended.wait()
    assert [len(piece) for piece in sender.passed[:4]] == [LARGEST >> halved for halved in range(4)]
    assert sum(map(len, sender.passed)) == 2 * LARGEST - 1


async def test_small_chunks_do_not_make_pieces_grow():
    sender = Sender(Content(seconds=0))
    for _ in range(100):
        sender.flow.push(bytes(PIECE - 1), False)
    sender.passed.clear()
    sender.flow.push(bytes(2 * PIECE), False)
    assert len(sender.passed[0]) <= PIECE


async def test_stopped_flow_processes_no_more_pieces():
    content = Content()
    sender = Sender(content)
    sender.flow.push(bytes(3 * PIECE), True)
    sender.flow.end()
    await asyncio.sleep(0)
    assert content.fed == [bytes(PIECE)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3 * PIECE), min_size=1, max_size=6), st.sampled_from([0, 0.0045]))
@pytest.mark.parametrize("pause", [False, True])
def test_any_chunks_come_out_whole_and_in_order(pause, sizes, seconds):
    async def run():
        sender = Sender(Content(seconds))
        chunks = [bytes([number]) * size for number, size in enumerate(sizes)]
        for number, chunk in enumerate(chunks, 1):
            sender.flow.push(chunk, number == len(chunks))
            if pause:
                await asyncio.sleep(0)
        await sender.ended.wait()
        assert b"".join(sender.passed) == b"".join(chunks)

    asyncio.run(run())
