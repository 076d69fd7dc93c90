"""Decoding the beginning of content."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard

from adc.compression.beginning import Decoded, decode_beginning
from adc.compression.decoders import DecodeError

TEXT = b"select * from users where id = 1 " * 20


def _raw_deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(content) + stream.flush()


CODED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "DEFLATE": _raw_deflate(TEXT),
    "br": brotli.compress(TEXT),
    "zstd": zstandard.compress(TEXT),
    "identity": TEXT,
    "": TEXT,
    "gzip, br": brotli.compress(gzip.compress(TEXT)),
    "deflate,,identity , gzip": gzip.compress(zlib.compress(TEXT)),
}


@pytest.mark.parametrize("coding", CODED)
def test_content_is_decoded(coding: str) -> None:
    assert decode_beginning(CODED[coding], coding.encode(), 10_000) == Decoded(TEXT, True)


@pytest.mark.parametrize("coding", CODED)
def test_content_over_the_limit_is_cut(coding: str) -> None:
    assert decode_beginning(CODED[coding], coding.encode(), 100) == Decoded(TEXT[:100], False)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "DEFLATE", "br"])
def test_beginning_of_coded_content_is_decoded_as_far_as_it_goes(coding: str) -> None:
    cut = CODED[coding][:-6]
    found = decode_beginning(cut, coding.encode(), 10_000, whole=False)
    assert TEXT.startswith(found.content)
    assert not found.whole


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_whole_content_that_is_cut_off_is_an_error(coding: str) -> None:
    with pytest.raises(DecodeError):
        decode_beginning(CODED[coding][:-6], coding.encode(), 10_000)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "compress", "gzip;q=1", "a,b,c,d,e"])
def test_content_in_another_coding_is_an_error(coding: str) -> None:
    with pytest.raises(DecodeError):
        decode_beginning(b"no such thing, and long enough", coding.encode(), 10_000)


@pytest.mark.parametrize("codings", [["gzip"], ["gzip", "gzip"]])
def test_bomb_is_decoded_up_to_the_limit_only(codings: list[str]) -> None:
    bomb = bytes(50 << 20)
    for _ in codings:
        bomb = gzip.compress(bomb)
    assert len(decode_beginning(bomb, ", ".join(codings).encode(), 1000).content) <= 1000
