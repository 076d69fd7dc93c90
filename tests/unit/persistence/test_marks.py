import pytest

from adc.persistence.marks import Markers, Record

NOW = 1_700_000_000
PARTS = [b"GET", b"/a", b"app", b"pool", b"192.0.2.1", b"192.0.2.1", b"https", b"id"]
MARKERS = Markers(b"secret", "edge")
STRANGERS = [Markers(b"other", "edge"), Markers(b"secret", "other")]
A = Record("a", "127.0.0.1:7946", NOW)
B = Record("node b", "[::1]:7946", NOW)
NONCE = b"0123456789abcdef"


def changed(value: bytes) -> list[bytes]:
    """`value` with each of its bytes changed, and what was never one."""
    flipped = [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in range(len(value))]
    return [*flipped, b"", b" ", b"a b c", b"\xff" * 50, b"x" * 100_000]


def test_record_says_who_signed_it() -> None:
    for record in (A, B):
        assert MARKERS.read_record(MARKERS.record(record)) == record


def test_record_signed_with_another_secret_or_none_is_not_read() -> None:
    for value in (*changed(MARKERS.record(A)), b"127.0.0.1:7946", *(other.record(A) for other in STRANGERS)):
        assert MARKERS.read_record(value) is None


def test_hello_is_read_only_where_it_was_meant_to_go() -> None:
    hello = MARKERS.hello(A, NONCE, B.address)
    assert MARKERS.read_hello(hello, B.address) == (A, NONCE)
    assert MARKERS.read_hello(hello, A.address) is None
    for value in (*changed(hello), *(other.hello(A, NONCE, B.address) for other in STRANGERS)):
        assert MARKERS.read_hello(value, B.address) is None


def test_proof_counts_for_one_nonce() -> None:
    proof = MARKERS.proof(B, NONCE)
    assert MARKERS.read_proof(proof, NONCE) == B
    assert MARKERS.read_proof(proof, NONCE[::-1]) is None
    for value in (*changed(proof), *(other.proof(B, NONCE) for other in STRANGERS), MARKERS.record(B)):
        assert MARKERS.read_proof(value, NONCE) is None


def test_marker_names_its_sender_to_its_receiver() -> None:
    marker = MARKERS.sign("n1", "n2", PARTS, NOW)
    assert MARKERS.sender(marker, "n2", PARTS) == ("n1", NOW)
    assert MARKERS.sender(marker, "n3", PARTS) is None
    for other in STRANGERS:
        assert other.sender(marker, "n2", PARTS) is None
    for value in changed(marker):
        assert MARKERS.sender(value, "n2", PARTS) is None


@pytest.mark.parametrize("place", range(len(PARTS)))
def test_marker_is_worthless_for_another_request(place: int) -> None:
    marker = MARKERS.sign("n1", "n2", PARTS, NOW)
    for other in (b"", PARTS[place] + b" ", b"x"):
        parts = [*PARTS[:place], other, *PARTS[place + 1 :]]
        assert MARKERS.sender(marker, "n2", parts) is None
    moved = [*PARTS[:place], PARTS[place][:1], PARTS[place][1:], *PARTS[place + 1 :]]
    assert MARKERS.sender(marker, "n2", moved) is None


def test_refusal_is_of_one_marker_and_only_a_node_can_make_it() -> None:
    marker = MARKERS.sign("n1", "n2", PARTS, NOW)
    refusal = MARKERS.refusal(marker)
    assert MARKERS.refuses(refusal, marker)
    assert not MARKERS.refuses(refusal, MARKERS.sign("n1", "n2", PARTS, NOW + 1))
    assert not MARKERS.refuses(None, marker)
    assert not any(MARKERS.refuses(value, marker) for value in (*changed(refusal), marker))
