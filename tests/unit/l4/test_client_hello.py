"""ClientHellos of real clients, cut at any place; malformed, oversized and foreign bytes."""

import itertools
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.l4.client_hello import BadHello, ClientHello, HelloReader

LIMIT = 16_384


def hello(name="a.example.com", alpn=(), version=None):
    """The first flight of a client of OpenSSL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(list(alpn))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def records(data, sizes):
    """The handshake message of the record `data` in records of `sizes` bytes, the last one with the rest."""
    message, found = data[5:], b""
    for size in (*sizes, len(message)):
        part, message = message[:size], message[size:]
        if part:
            found += b"\x16\x03\x01" + len(part).to_bytes(2, "big") + part
    return found


def read(pieces, limit=LIMIT):
    """What a reader makes of `pieces`: a ClientHello, None, or BadHello."""
    reader = HelloReader(limit)
    try:
        for piece in pieces:
            found = reader.feed(piece)
            if found is not None:
                return found
    except BadHello as error:
        return type(error)
    return None


def cut(data, places):
    ends = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(ends)]


PLAIN = hello(alpn=("h2", "http/1.1"))
EXPECTED = ClientHello("a.example.com", (b"h2", b"http/1.1"))
places = st.lists(st.integers(0, 1 << 16), max_size=8)


@pytest.mark.parametrize("version", [None, ssl.TLSVersion.TLSv1_2])
def test_name_and_protocols_are_read(version):
    assert read([hello(alpn=("h2", "http/1.1"), version=version)]) == EXPECTED


def test_client_without_name_and_protocols():
    assert read([hello(name=None)]) == ClientHello("", ())


def test_every_single_byte_is_waited_for():
    assert read([PLAIN[:-1]]) is None
    assert read([bytes([byte]) for byte in PLAIN]) == EXPECTED


@given(places, st.lists(st.integers(1, 300), max_size=8))
def test_any_cut_over_records_and_segments_gives_the_same(ends, sizes):
    assert read(cut(records(PLAIN, sizes), ends)) == EXPECTED


@given(st.integers(0, len(PLAIN) - 1), st.integers(0, 255), places)
def test_any_cut_of_a_damaged_hello_gives_the_same(place, byte, ends):
    damaged = PLAIN[:place] + bytes([byte]) + PLAIN[place + 1 :]
    assert read(cut(damaged, ends)) == read([damaged])


@given(st.binary(max_size=400), places)
def test_any_cut_of_any_bytes_gives_the_same(data, ends):
    for stream in (data, b"\x16\x03\x01" + data):
        assert read(cut(stream, ends)) == read([stream])


@given(places, st.integers(1, 2 * len(PLAIN)))
def test_limit_holds_for_any_cut(ends, limit):
    assert read(cut(PLAIN, ends), limit) == (EXPECTED if limit >= len(PLAIN) else BadHello)


@pytest.mark.parametrize(
    ("data", "is_tls"),
    [
        (b"GET / HTTP/1.1\r\n", False),
        (b"SSH-2.0-x\r\n", False),
        (b"\x16\x02\x00\x00\x01\x01", False),
        (b"\x16\x03\x01\x00\x00", True),
        (b"\x16\x03\x01\x40\x01", True),
        (b"\x16\x03\x01\x00\x01\x02", True),
        (b"\x16\x03\x01\x00\x01\x01\x15\x03\x03\x00\x02\x02\x28", True),
    ],
)
def test_foreign_bytes_are_rejected_at_once(data, is_tls):
    with pytest.raises(BadHello) as caught:
        HelloReader(LIMIT).feed(data)
    assert caught.value.is_tls is is_tls


def with_extensions(*extensions):
    """A ClientHello with these (kind, value) extensions."""
    listed = b"".join(
        kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for kind, value in extensions
    )
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\x00\x02\x13\x01" + b"\x01\x00"
    body += len(listed).to_bytes(2, "big") + listed
    return records(b"12345\x01" + len(body).to_bytes(3, "big") + body, ())


def names(*each):
    listed = b"".join(bytes([kind]) + len(name).to_bytes(2, "big") + name for kind, name in each)
    return len(listed).to_bytes(2, "big") + listed


@pytest.mark.parametrize(
    "extensions",
    [
        ((0, names((0, b"a"))), (0, names((0, b"b")))),
        ((0, names((0, b"a"), (0, b"b"))),),
        ((0, names((0, b"."), (0, b"b"))),),
        ((0, names((0, b""))),),
        ((0, names((0, b"a\0b"))),),
        ((0, names((0, b"a" * 254))),),
        ((0, names((0, "ü".encode()))),),
        ((0, names((0, b"a")) + b"x"),),
        ((0, b"\x00\x00"),),
        ((16, b"\x00\x01\x00"),),
        ((16, b"\x00\x03\x02a"),),
    ],
)
def test_malformed_extensions_are_rejected(extensions):
    assert read([with_extensions(*extensions)]) is BadHello


def test_name_is_compared_in_lower_case_without_a_final_dot():
    assert read([with_extensions((0, names((0, b"A.Example.COM."))))]) == ClientHello("a.example.com", ())
