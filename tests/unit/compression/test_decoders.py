"""Decoders are bounded and tell broken content."""

import contextlib
import gzip
import os
import zlib

import brotli
import pytest
import zstandard

from adc.compression.decoders import FREE_BYTES, STEP_BYTES, DecodeError, decoder
from tests.kit.decoding import decoded, steps
from tests.kit.survivors import collector_off, ours

ENCODE = {
    b"gzip": lambda data: gzip.compress(data, 9),
    b"br": lambda data: brotli.compress(data, quality=9),
    b"zstd": lambda data: zstandard.ZstdCompressor(level=3).compress(data),
}
CODINGS = list(ENCODE)
TEXT = b"".join(b"%d bottles\n" % number for number in range(100_000))


@pytest.fixture(params=CODINGS)
def coding(request):
    return request.param


def test_content_is_decoded(coding):
    found = decoder(coding)
    assert decoded(found, ENCODE[coding](TEXT)) == TEXT
    found.finish()


def test_content_is_decoded_as_it_comes(coding):
    found = decoder(coding)
    encoded = ENCODE[coding](TEXT[:300])
    assert b"".join(decoded(found, encoded[at : at + 1]) for at in range(len(encoded))) == TEXT[:300]
    found.finish()


def test_a_bomb_is_refused(coding):
    bomb = ENCODE[coding](bytes(50 << 20))
    assert len(bomb) < 60_000
    with pytest.raises(DecodeError):
        decoded(decoder(coding), bomb)


def test_a_bomb_in_small_pieces_is_refused_before_it_is_out(coding):
    bomb = ENCODE[coding](bytes(50 << 20))
    found, made = decoder(coding), []

    def decode_all():
        made.extend(len(decoded(found, bomb[at : at + 100])) for at in range(0, len(bomb), 100))

    with pytest.raises(DecodeError):
        decode_all()
    assert sum(made) <= FREE_BYTES + 100 * len(bomb)


def test_small_content_may_expand_far(coding):
    found = decoder(coding)
    assert decoded(found, ENCODE[coding](bytes(500_000))) == bytes(500_000)


def test_content_over_the_size_limit_is_refused(coding):
    encoded = ENCODE[coding](TEXT)
    assert decoded(decoder(coding, max_bytes=len(TEXT)), encoded) == TEXT
    with pytest.raises(DecodeError):
        decoded(decoder(coding, max_bytes=len(TEXT) - 1), encoded)


def test_garbage_is_refused(coding):
    with pytest.raises(DecodeError):
        decoded(decoder(coding), b"<html>" * 100)


@pytest.mark.parametrize("cut", [b"gzip", b"br"])
def test_content_that_is_cut_off_is_refused(cut):
    found = decoder(cut)
    decoded(found, ENCODE[cut](TEXT)[:-1])
    with pytest.raises(DecodeError):
        found.finish()


def test_nothing_at_all_is_no_error(coding):
    decoder(coding).finish()


@pytest.mark.parametrize("several", [b"gzip", b"zstd"])
def test_several_members_follow_one_another(several):
    found = decoder(several)
    assert decoded(found, ENCODE[several](b"one") + ENCODE[several](b"two")) == b"onetwo"
    found.finish()


def test_a_zstd_window_over_8_mb_is_refused():
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=24, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(DecodeError):
        decoded(decoder(b"zstd"), stream.compress(TEXT) + stream.flush())


@pytest.mark.parametrize("coding", [b"deflate", b"gzip, br", b"identity", b"", b"aes128gcm"])
def test_other_codings_have_no_decoder(coding):
    assert decoder(coding) is None


def test_a_step_makes_a_bounded_amount_of_output(coding):
    data = os.urandom(10_000)
    encoded = ENCODE[coding](data + bytes(900_000) + data)
    made = list(steps(decoder(coding), encoded))
    assert b"".join(made) == data + bytes(900_000) + data
    assert len(made) > 2
    assert max(map(len, made)) <= 2 * STEP_BYTES


EMPTY = {b"gzip": gzip.compress(b""), b"zstd": zstandard.ZstdCompressor().compress(b"")}


@pytest.mark.parametrize("several", EMPTY)
def test_many_empty_members_take_many_steps(several):
    made = list(steps(decoder(several), EMPTY[several] * (240_000 // len(EMPTY[several]))))
    assert b"".join(made) == b""
    assert len(made) > 3


def test_a_step_reads_few_gzip_members():
    found = decoder(b"gzip")
    found.feed(EMPTY[b"gzip"] * 12_000)
    began = zlib.decompressobj
    count = 0

    def counted(container):
        nonlocal count
        count += 1
        return began(container)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zlib, "decompressobj", counted)
        found.step()
    assert 0 < count < 500


@pytest.mark.parametrize("size", [1, 2, 4095, 4096, 4097, 100_000])
def test_output_of_highly_compressible_content_is_whole_however_it_is_cut(coding, size):
    data = bytes(900_000)
    encoded = ENCODE[coding](data)
    found = decoder(coding)
    pieces = (encoded[at : at + size] for at in range(0, len(encoded), size))
    assert b"".join(decoded(found, piece) for piece in pieces) == data
    assert not found.pending
    found.finish()


def test_every_block_of_zstd_is_out_when_its_last_byte_is_in():
    """Blocks of all sizes, flushed, so that a block may end anywhere in a step's output."""
    stream = zstandard.ZstdCompressor(level=1).compressobj()
    found, sent, came = decoder(b"zstd"), b"", b""
    for size in (1, 131_071, 131_072, 131_073, 5, 262_144, 262_143, 300_000):
        data = (os.urandom(1 + size // 40) * 41)[:size]
        sent += data
        came += decoded(found, stream.compress(data) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
        assert len(came) == len(sent)
    assert came == sent


@pytest.mark.parametrize("left", ["finished", "abandoned", "broken"])
def test_a_decoder_is_freed_at_its_end(coding, left):
    """What a library in C refers to would otherwise never be freed: the collector does not see it."""
    data = b"<html>" if left == "broken" else ENCODE[coding](TEXT)[: None if left == "finished" else 500]
    with collector_off():
        before = ours()
        found = decoder(coding)
        found.feed(data)
        with contextlib.suppress(DecodeError):
            while found.pending:
                found.step()
        del found
        assert not ours() - before
