"""Encoders, read by libraries other than those that wrote where there are two."""

import gzip
import zlib

import brotli
import pytest
import zstandard

from adc.compression.encoders import content_coding

TEXT = b"".join(b"<p class=row>line %d of the page</p>\n" % number for number in range(2000))
DECODE = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}
EVERY = [(name, level) for name, most in (("gzip", 9), ("br", 11)) for level in range(most + 1)]
EVERY += [("zstd", level) for level in range(1, 20)]


@pytest.mark.parametrize(("name", "level"), EVERY)
def test_every_level_writes_its_coding(name, level):
    coding = content_coding(name, level)
    encoder = coding.encoder()
    streamed = encoder.encode(TEXT[:1000]) + encoder.encode(TEXT[1000:5000]) + encoder.finish()
    assert DECODE[name](coding.whole(TEXT[:5000])) == TEXT[:5000]
    assert DECODE[name](streamed) == TEXT[:5000]


@pytest.mark.parametrize(("name", "level"), [("gzip", 4), ("gzip", 6), ("br", 4), ("zstd", 3)])
def test_the_levels_in_use_make_text_less_than_a_fifth(name, level):
    assert len(content_coding(name, level).whole(TEXT)) < len(TEXT) / 5


def test_gzip_at_the_default_level_is_near_the_size_that_zlib_makes():
    ours = len(content_coding("gzip", 6).whole(TEXT))
    theirs = len(zlib.compress(TEXT, 6, 31))
    assert ours < 1.2 * theirs


def _open_decoder(name):
    if name == "gzip":
        return zlib.decompressobj(31).decompress
    return (
        brotli.Decompressor().process
        if name == "br"
        else zstandard.ZstdDecompressor().decompressobj().decompress
    )


@pytest.mark.parametrize(("name", "level"), [("gzip", 1), ("gzip", 4), ("gzip", 6), ("br", 4), ("zstd", 3)])
def test_after_a_flush_everything_so_far_can_be_decoded(name, level):
    encoder = content_coding(name, level).encoder()
    decode = _open_decoder(name)
    for number in range(20):
        event = b"data: %d\n\n" % number
        assert decode(encoder.encode(event) + encoder.flush()) == event


def test_zstd_streams_at_the_same_time_do_not_mix():
    coding = content_coding("zstd", 3)
    first, second = coding.encoder(), coding.encoder()
    one, two = first.encode(b"a" * 1000), second.encode(b"b" * 1000)
    whole = coding.whole(b"c" * 1000)
    one, two = one + first.finish(), two + second.finish()
    third = coding.encoder()
    assert [DECODE["zstd"](each) for each in (one, two, whole, third.encode(b"d") + third.finish())] == [
        b"a" * 1000,
        b"b" * 1000,
        b"c" * 1000,
        b"d",
    ]


def test_an_abandoned_zstd_stream_leaves_nothing_behind():
    coding = content_coding("zstd", 3)
    coding.encoder().encode(b"secret" * 100)
    encoder = coding.encoder()
    assert DECODE["zstd"](encoder.encode(b"plain") + encoder.finish()) == b"plain"


def test_unknown_codings_are_refused():
    with pytest.raises(KeyError):
        content_coding("deflate", 6)
