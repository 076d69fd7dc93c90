"""The end of a message is found wherever reads cut it, and every other use of CR and LF is refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.smtp.content import BadContent, ContentScanner
from adc.smtp.hops import HopCounter

PIECES = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b".", b"a", b"\r\n.", b"\r\n.\r\n", b"..", b"Received: x", b"\0"]
)
STREAMS = st.lists(PIECES, max_size=24).map(b"".join)
CUTS = st.lists(st.integers(0, 120), max_size=12)


def scanned(data, cuts=(), size=10_000, line=1000):
    """What is passed on, and what follows the end (None if there is none); or the reason of a refusal."""
    scanner = ContentScanner(size, line)
    passed = b""
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    for start, end in itertools.pairwise(places):
        try:
            passed += scanner.feed(data[start:end])
        except BadContent as error:
            return error.reason
        if scanner.ended:
            return passed, scanner.rest + data[end:]
    return passed, None


def reference(data):
    """The same by the letter of RFC 5321: lines end with CRLF, and the end is a line of one dot."""
    whole = b"\r\n" + data
    end = whole.find(b"\r\n.\r\n")
    content = data if end < 0 else whole[2 : end + 2]
    if b"\r" in content.replace(b"\r\n", b"") or b"\n" in content.replace(b"\r\n", b""):
        return None
    return content, (None if end < 0 else whole[end + 5 :])


@given(STREAMS, CUTS)
def test_cuts_do_not_matter(data, cuts):
    whole, cut = scanned(data), scanned(data, cuts)
    if isinstance(whole, str) or isinstance(cut, str) or whole[1] is None:
        if not (isinstance(cut, str) and isinstance(whole, str)) and (
            isinstance(cut, str) or isinstance(whole, str)
        ):
            pytest.fail(f"{whole} but {cut}")
        return
    assert whole == cut


@given(STREAMS)
def test_scanner_agrees_with_the_letter_of_the_rfc(data):
    expected = reference(data)
    found = scanned(data)
    if isinstance(found, str):
        assert expected is None or b"\0" in expected[0]
    elif found[1] is not None:
        assert found == expected


@given(STREAMS, CUTS)
def test_passed_content_never_holds_an_end_for_a_lenient_reader(data, cuts):
    found = scanned(data, cuts)
    if not isinstance(found, str):
        lines = found[0].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        assert b"." not in lines


@pytest.mark.parametrize(("data", "expected"), [(b".\r\nX", (b"", b"X")), (b"\r\n.\r\n", (b"\r\n", b""))])
def test_shortest_messages(data, expected):
    for cut in range(len(data)):
        assert scanned(data, [cut]) == expected


def test_size_counts_all_parts():
    assert scanned(b"x" * 500 + b"\r\n.\r\n", size=502) == (b"x" * 500 + b"\r\n", b"")
    assert scanned(b"x" * 501 + b"\r\n.\r\n", [100], size=502) == "size"


@given(st.lists(st.integers(0, 40), max_size=10), CUTS)
def test_longest_line_decides(lengths, cuts):
    data = b"".join(b"x" * length + b"\r\n" for length in lengths) + b".\r\n"
    expected = "line_length" if any(length > 30 for length in lengths) else (data[:-3], b"")
    assert scanned(data, cuts, line=30) == expected


def test_refused_message_is_read_to_its_end():
    scanner = ContentScanner(100, 1000)
    with pytest.raises(BadContent):
        scanner.feed(b"a\0b\r\n")
    assert scanner.feed(b"more\r\n") == b""
    assert scanner.feed(b".\r\nQUIT\r\n") == b""
    assert (scanner.ended, scanner.rest) == (True, b"QUIT\r\n")


@given(st.integers(0, 4), CUTS)
def test_received_fields_are_counted_in_the_header_only(count, cuts):
    data = b"RECEIVED: a\r\n b\r\n" * count + b"X: y\r\n\r\nReceived: body\r\n"
    counter = HopCounter(10)
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    for start, end in itertools.pairwise(places):
        if counter.in_header:
            counter.feed(data[start:end])
    assert (counter.count, counter.in_header) == (count, False)
