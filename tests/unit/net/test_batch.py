"""The stages of a loop iteration, with connections that know no protocol."""

import asyncio

import pytest

from adc.compilation import compiled
from adc.net.batch import ALONE, AT_ONCE, Batch, BatchedOutput, BatchedReader

pytestmark = pytest.mark.skipif(compiled(), reason="a test's class cannot extend a compiled one")


class Exchange:
    def __init__(self, name, log, fails=False):
        self._name = name
        self._log = log
        self._fails = fails

    def start(self, body, end):
        self._log.append(f"start {self._name}")
        if self._fails:
            raise RuntimeError(self._name)


class Reader(BatchedReader):
    """Begins an exchange for each of `names` in one read."""

    def __init__(self, batch, log, *names, fails=()):
        self._batch = batch
        self._log = log
        self._names = names
        self._fails = fails

    def parse_arrived(self):
        self._log.append(f"parse {''.join(self._names)}")

    def deliver_arrived(self):
        for name in self._names:
            self._log.append(f"begin {name}")
            exchange = Exchange(name, self._log, name in self._fails)
            if not self._batch.begun(exchange, self):
                exchange.start(b"", True)

    def drop(self):
        self._log.append(f"drop {''.join(self._names)}")


class Output(BatchedOutput):
    def __init__(self, log):
        self._log = log

    def flush(self):
        self._log.append("flush")

    def drop(self):
        self._log.append("drop output")


@pytest.fixture
async def batch():
    return Batch(asyncio.get_running_loop())


async def iteration():
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_connection_begins_many_exchanges_in_one_read(batch):
    log = []
    batch.request_arrived(Reader(batch, log, "a", "b"))
    batch.request_arrived(Reader(batch, log, "c"))
    await iteration()
    assert log == ["parse ab", "parse c", "begin a", "begin b", "begin c", "start a", "start b", "start c"]


async def test_exchange_that_fails_to_start_ends_its_connection_only(batch):
    log, reported = [], []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    batch.request_arrived(Reader(batch, log, "a", "b", fails="a"))
    batch.request_arrived(Reader(batch, log, "c"))
    await iteration()
    assert log[-4:] == ["start a", "drop ab", "start b", "start c"]
    assert [str(error) for error in reported] == ["a"]


async def test_exchange_outside_of_a_batch_starts_at_once(batch):
    log = []
    Reader(batch, log, "a").deliver_arrived()
    assert log == ["begin a", "start a"]


async def test_responses_are_read_after_requests_and_before_writes(batch):
    log = []
    batch.written(Output(log))
    batch.response_arrived(Reader(batch, log, "r"))
    batch.request_arrived(Reader(batch, log, "q"))
    await iteration()
    assert log == ["parse q", "begin q", "start q", "parse r", "begin r", "start r", "flush"]


async def served_alone(batch, times):
    """One request in each of some iterations."""
    for _ in range(times):
        batch.request_arrived(Reader(batch, [], "x"))
        await iteration()


async def test_request_is_served_at_once_after_enough_batches_of_one(batch):
    await served_alone(batch, ALONE)
    log = []
    batch.request_arrived(Reader(batch, log, "a"))
    assert log == ["parse a", "begin a", "start a"]


async def test_response_is_served_at_once_with_what_it_writes(batch):
    await served_alone(batch, ALONE)
    log = []

    class Answer(Reader):
        def deliver_arrived(self):
            batch.written(Output(log))

    batch.response_arrived(Answer(batch, log, "r"))
    assert log == ["parse r", "flush"]


async def test_batch_of_two_ends_the_row_of_single_ones(batch):
    await served_alone(batch, ALONE - 1)
    batch.request_arrived(Reader(batch, [], "x"))
    batch.response_arrived(Reader(batch, [], "y"))
    await iteration()
    await served_alone(batch, 1)
    log = []
    batch.request_arrived(Reader(batch, log, "a"))
    assert log == []


async def test_requests_wait_for_others_again_after_so_many_served_at_once(batch):
    await served_alone(batch, ALONE)
    for _ in range(AT_ONCE):
        batch.request_arrived(Reader(batch, [], "x"))
    log = []
    batch.request_arrived(Reader(batch, log, "a"))
    batch.request_arrived(Reader(batch, log, "b"))
    assert log == []
    await iteration()
    assert log[:2] == ["parse a", "parse b"]


async def test_request_that_arrives_while_a_batch_runs_waits_for_the_next(batch):
    await served_alone(batch, ALONE)
    log = []

    class Nested(Reader):
        def parse_arrived(self):
            batch.request_arrived(Reader(batch, log, "b"))
            log.append("parse a")

    batch.request_arrived(Nested(batch, log, "a"))
    assert log == ["parse a", "begin a", "start a"]
    await iteration()
    assert log[3:] == ["parse b", "begin b", "start b"]
