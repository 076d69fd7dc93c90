"""What a connection writes in one turn of the loop leaves in one go, before anything else that is asked of it."""

import asyncio

import pytest

from adc.codecs.http1.batch import HOLD_BYTES, Batch
from adc.codecs.http1.outlet import Outlet


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
async def outlet(transport):
    outlet = Outlet(Batch(asyncio.get_running_loop()))
    outlet.opened(transport)
    return outlet


async def turn():
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_writes_of_one_turn_leave_as_one(outlet, transport):
    outlet.write(b"head")
    outlet.write(b"body")
    assert transport.calls == []
    await turn()
    assert transport.calls == [b"headbody"]


async def test_what_is_large_does_not_wait_and_comes_after_what_is_held(outlet, transport):
    large = b"x" * HOLD_BYTES
    outlet.write(b"head")
    outlet.write(large)
    assert transport.calls == [b"head", large]


async def test_pieces_are_written_at_once_behind_what_is_held(outlet, transport):
    outlet.write(b"head")
    outlet.writelines((b"1\r\n", b"a", b"\r\n"))
    assert transport.calls == [[b"head", b"1\r\n", b"a", b"\r\n"]]


@pytest.mark.parametrize(("ask", "told"), [("close", "close"), ("abort", "abort"), ("write_eof", "eof")])
async def test_whatever_ends_the_connection_comes_after_what_is_held(outlet, transport, ask, told):
    outlet.write(b"last")
    getattr(outlet, ask)()
    assert transport.calls == [b"last", told]
    await turn()
    assert transport.calls == [b"last", told]


async def test_who_asks_what_the_kernel_has_not_taken_is_told_after_the_writes(outlet, transport):
    outlet.write(b"head")
    assert outlet.get_write_buffer_size() == 0
    assert transport.calls == [b"head"]


async def test_nothing_is_written_to_a_connection_that_is_lost(outlet, transport):
    outlet.write(b"held")
    outlet.lost()
    outlet.write(b"late")
    await turn()
    assert transport.calls == []


async def test_what_a_write_causes_to_be_written_elsewhere_is_sent_too(outlet, transport):
    other = Outlet(outlet._batch)
    other.opened(Transport())
    transport.write = lambda data: other.write(b"caused")
    outlet.write(b"cause")
    await turn()
    await turn()
    assert other._transport.calls == [b"caused"]
