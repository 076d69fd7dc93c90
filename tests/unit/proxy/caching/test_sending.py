"""Cutting stored content into the pieces that are sent."""

import asyncio

from adc.cache.claims import Claims
from adc.cache.loans import Loans
from adc.http.headers import Headers
from adc.http.message import Response
from adc.http.ranges import ByteRange
from adc.proxy.caching.sending import Content, StoredSending
from adc.proxy.pieces import AT_ONCE, Pieces
from tests.kit.memory_codec import World


async def sent(data, *pieces):
    """What a client that takes everything is sent of `data`, and the world it happened in."""
    world = World()
    client = world.ask()
    client.exchange.attempt.cancel()
    sending = StoredSending(client.exchange, Content(data, Loans(Claims(2))), pieces)
    sending.begin(Response(200, Headers()))
    while not sending.over:
        await asyncio.sleep(0)
    return world, client.sent[1:]


async def test_content_comes_in_pieces_of_bounded_size_and_the_last_says_so():
    data = bytes(range(256)) * 3000
    _, bodies = await sent(data, ByteRange(5, len(data) - 1))
    assert b"".join(body for _, body, _ in bodies) == data[5:]
    assert all(len(body) <= AT_ONCE for _, body, _ in bodies)
    assert [end for _, _, end in bodies] == [False] * (len(bodies) - 1) + [True]


async def test_texts_and_ranges_follow_each_other():
    _, bodies = await sent(b"0123456789", b"--x", ByteRange(1, 2), b"--y", ByteRange(8, 9), b"--")
    assert [body for _, body, _ in bodies] == [b"--x", b"12", b"--y", b"89", b"--"]
    assert [end for _, _, end in bodies] == [False, False, False, False, True]


async def test_content_that_ends_early_breaks_the_response_off_and_is_no_endless_loop():
    world, bodies = await sent(b"0123", ByteRange(0, 9))
    assert bodies == [("body", b"0123", False), ("cut off",)]
    assert world.ended == ["cache_failed"]
    assert [message for message, _ in world.log.warnings] == ["cache_read_failed"]


def test_a_range_is_sent_bit_by_bit_and_a_text_in_one():
    pieces = Pieces([ByteRange(10, 19), b"--"])
    assert not pieces.sent(0)
    assert not pieces.sent(4)
    assert pieces.next == ByteRange(14, 19)
    assert not pieces.sent(6)
    assert pieces.next == b"--"
    assert pieces.sent(2)
