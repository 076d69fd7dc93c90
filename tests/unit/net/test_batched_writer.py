"""What a connection writes in one turn of the loop leaves in one go, before anything else that is asked of it."""

import asyncio

import pytest

from adc.net.batch import HOLD_BYTES, Batch
from adc.net.batched_writer import BatchedWriter


class Transport:
    def __init__(self):
        self.calls = []

    def write(self, data):
        self.calls.append(data)

    def writelines(self, parts):
        self.calls.append(list(parts))

    def write_eof(self):
        self.calls.append("eof")

    def close(self):
        self.calls.append("close")

    def abort(self):
        self.calls.append("abort")

    def get_write_buffer_size(self):
        return 0


@pytest.fixture
def transport():
    return Transport()


@pytest.fixture
async def writer(transport):
    writer = BatchedWriter(Batch(asyncio.get_running_loop()))
    writer.opened(transport)
    return writer


async def turn():
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_writes_of_one_turn_leave_as_one(writer, transport):
    writer.write(b"head")
    writer.write(b"body")
    assert transport.calls == []
    await turn()
    assert transport.calls == [b"headbody"]


async def test_large_write_does_not_wait_and_leaves_with_buffered_ones(writer, transport):
    large = b"x" * HOLD_BYTES
    writer.write(b"head")
    writer.write(large)
    assert transport.calls == [[b"head", large]]
    writer.write(large + b"x")
    assert transport.calls[1:] == [large + b"x"]


async def test_pieces_are_written_at_once_behind_what_is_held(writer, transport):
    writer.write(b"head")
    writer.writelines((b"1\r\n", b"a", b"\r\n"))
    assert transport.calls == [[b"head", b"1\r\n", b"a", b"\r\n"]]


@pytest.mark.parametrize(("ask", "told"), [("close", "close"), ("abort", "abort"), ("write_eof", "eof")])
async def test_end_of_the_connection_follows_buffered_writes(writer, transport, ask, told):
    writer.write(b"last")
    getattr(writer, ask)()
    assert transport.calls == [b"last", told]
    await turn()
    assert transport.calls == [b"last", told]


async def test_buffer_size_is_reported_after_the_writes(writer, transport):
    writer.write(b"head")
    assert writer.get_write_buffer_size() == 0
    assert transport.calls == [b"head"]


async def test_nothing_is_written_to_a_connection_that_is_lost(writer, transport):
    writer.write(b"held")
    writer.lost()
    writer.write(b"late")
    await turn()
    assert transport.calls == []


async def test_write_caused_by_another_write_is_sent_too(writer, transport):
    other = BatchedWriter(writer._batch)
    other.opened(Transport())
    transport.write = lambda data: other.write(b"caused")
    writer.write(b"cause")
    await turn()
    await turn()
    assert other._transport.calls == [b"caused"]
