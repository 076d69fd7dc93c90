"""Cutting stored content into the pieces that are sent."""

import pytest

from adc.cache.ranges import ByteRange
from adc.proxy.caching.serve import AT_ONCE, Content, _slices


def test_content_comes_in_pieces_of_bounded_size_and_the_last_says_so():
    data = bytes(range(256)) * 3000
    pieces = list(_slices(Content(data), [ByteRange(5, len(data) - 1)]))
    assert b"".join(piece for piece, _ in pieces) == data[5:]
    assert all(len(piece) <= AT_ONCE for piece, _ in pieces)
    assert [end for _, end in pieces] == [False] * (len(pieces) - 1) + [True]


def test_texts_and_ranges_follow_each_other():
    pieces = list(_slices(Content(b"0123456789"), [b"--x", ByteRange(1, 2), b"--y", ByteRange(8, 9), b"--"]))
    assert [piece for piece, _ in pieces] == [b"--x", b"12", b"--y", b"89", b"--"]
    assert [end for _, end in pieces] == [False, False, False, False, True]


def test_content_that_ends_early_is_an_error_and_no_endless_loop():
    pieces = _slices(Content(b"0123"), [ByteRange(0, 9)])
    assert next(pieces) == (b"0123", False)
    with pytest.raises(OSError, match="shorter"):
        next(pieces)
