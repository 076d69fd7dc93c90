"""However content is cut, it decodes to itself; no client is given what it refused."""

import zlib
from contextlib import suppress

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from adc.compression.decoders import DecodeError, decoder
from adc.compression.encoders import content_coding
from adc.compression.negotiation import accepts, negotiate
from tests.kit.decoding import decoded

CODINGS = {
    (name, level): content_coding(name, level) for name, level in (("gzip", 1), ("gzip", 4), ("gzip", 6))
}
CODINGS |= {("br", 4): content_coding("br", 4), ("zstd", 3): content_coding("zstd", 3)}
OURS = ("zstd", "br", "gzip")
bodies = st.one_of(
    st.binary(max_size=4000),
    st.builds(lambda piece, times: piece * times, st.binary(max_size=50), st.integers(0, 4000)),
)


def _independently(name, data):
    if name == "gzip":
        return zlib.decompress(data, 31)
    return (
        brotli.decompress(data)
        if name == "br"
        else zstandard.ZstdDecompressor().decompressobj().decompress(data)
    )


def _pieces(body, cuts):
    places = sorted({min(cut, len(body)) for cut in cuts})
    return [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]


@pytest.mark.parametrize("which", CODINGS)
@given(
    body=bodies,
    cuts=st.lists(st.integers(0, 50_000), max_size=6),
    flushes=st.lists(st.booleans(), max_size=7),
)
def test_content_cut_anywhere_and_flushed_anywhere_decodes_to_itself(which, body, cuts, flushes):
    encoder = CODINGS[which].encoder()
    encoded = b""
    for number, piece in enumerate(_pieces(body, cuts)):
        encoded += encoder.encode(piece)
        if number < len(flushes) and flushes[number]:
            encoded += encoder.flush()
    encoded += encoder.finish()
    assert _independently(which[0], encoded) == body


@pytest.mark.parametrize("which", CODINGS)
@given(body=bodies, cuts=st.lists(st.integers(0, 5000), max_size=6))
def test_our_decoders_read_coded_content_cut_anywhere(which, body, cuts):
    encoded = CODINGS[which].whole(body)
    assert _independently(which[0], encoded) == body
    found = decoder(which[0].encode())
    assert b"".join(decoded(found, piece) for piece in _pieces(encoded, cuts)) == body
    found.finish()


@pytest.mark.parametrize("which", CODINGS)
@given(
    body=bodies,
    kept=st.integers(0, 5000),
    garbage=st.binary(max_size=300),
    limit=st.integers(0, 250_000),
)
def test_garbage_never_raises_anything_else_nor_grows_beyond_its_limit(which, body, kept, garbage, limit):
    """Behind a whole piece of content, behind a part of it, or alone."""
    data = CODINGS[which].whole(body)[:kept] + garbage
    with suppress(DecodeError):
        assert len(decoded(decoder(which[0].encode(), limit), data)) <= limit


NAMES = st.sampled_from(["gzip", "x-gzip", "br", "zstd", "identity", "*", "deflate", "GZIP"])
WEIGHTS = st.sampled_from(["", ";q=0", ";q=0.0", ";q=0.5", ";q=1", "; q=0.25", ";q=9", ";q="])
ITEMS = st.lists(st.builds(str.__add__, NAMES, WEIGHTS), max_size=8)


@given(items=ITEMS, order=st.permutations(OURS))
def test_no_coding_is_chosen_that_the_client_forbids(items, order):
    chosen = negotiate(", ".join(items).encode(), order)
    if chosen is None:
        return
    named = {chosen, "x-gzip"} if chosen == "gzip" else {chosen}
    weights = [weight for name, _, weight in (item.lower().partition(";") for item in items) if name in named]
    assert not any(weight.strip() in ("q=0", "q=0.0") for weight in weights)
    assert weights or any(item.startswith("*") for item in items)
    assert accepts(", ".join(items).encode(), chosen)


@given(value=st.binary(max_size=200))
def test_any_bytes_can_be_negotiated(value):
    assert negotiate(value, OURS) in (*OURS, None)
