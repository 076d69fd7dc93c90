"""Decoders are bounded and tell broken content."""

import gzip

import brotli
import pytest
import zstandard

from adc.compression.decoders import FREE_BYTES, DecodeError, decoder

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
    assert found.decode(ENCODE[coding](TEXT)) == TEXT
    found.finish()


def test_content_is_decoded_as_it_comes(coding):
    found = decoder(coding)
    encoded = ENCODE[coding](TEXT[:300])
    assert b"".join(found.decode(encoded[at : at + 1]) for at in range(len(encoded))) == TEXT[:300]
    found.finish()


def test_a_bomb_is_refused(coding):
    bomb = ENCODE[coding](bytes(50 << 20))
    assert len(bomb) < 60_000
    with pytest.raises(DecodeError):
        decoder(coding).decode(bomb)


def test_a_bomb_in_small_pieces_is_refused_before_it_is_out(coding):
    bomb = ENCODE[coding](bytes(50 << 20))
    found, made = decoder(coding), []

    def decode_all():
        made.extend(len(found.decode(bomb[at : at + 100])) for at in range(0, len(bomb), 100))

    with pytest.raises(DecodeError):
        decode_all()
    assert sum(made) <= FREE_BYTES + 100 * len(bomb)


def test_small_content_may_expand_far(coding):
    found = decoder(coding)
    assert found.decode(ENCODE[coding](bytes(500_000))) == bytes(500_000)


def test_content_over_the_size_limit_is_refused(coding):
    encoded = ENCODE[coding](TEXT)
    assert decoder(coding, max_bytes=len(TEXT)).decode(encoded) == TEXT
    with pytest.raises(DecodeError):
        decoder(coding, max_bytes=len(TEXT) - 1).decode(encoded)


def test_garbage_is_refused(coding):
    with pytest.raises(DecodeError):
        decoder(coding).decode(b"<html>" * 100)


@pytest.mark.parametrize("cut", [b"gzip", b"br"])
def test_content_that_is_cut_off_is_refused(cut):
    found = decoder(cut)
    found.decode(ENCODE[cut](TEXT)[:-1])
    with pytest.raises(DecodeError):
        found.finish()


def test_nothing_at_all_is_no_error(coding):
    decoder(coding).finish()


@pytest.mark.parametrize("several", [b"gzip", b"zstd"])
def test_several_members_follow_one_another(several):
    found = decoder(several)
    assert found.decode(ENCODE[several](b"one") + ENCODE[several](b"two")) == b"onetwo"
    found.finish()


def test_a_zstd_window_over_8_mb_is_refused():
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=24, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(DecodeError):
        decoder(b"zstd").decode(stream.compress(TEXT) + stream.flush())


@pytest.mark.parametrize("coding", [b"deflate", b"gzip, br", b"identity", b"", b"aes128gcm"])
def test_other_codings_have_no_decoder(coding):
    assert decoder(coding) is None
