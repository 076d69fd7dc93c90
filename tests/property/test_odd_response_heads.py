"""Odd heads of responses: whatever is accepted is one strict head, the same however the bytes arrive."""

import httptools
from hypothesis import given
from hypothesis import strategies as st

from adc.codecs.http1.response_head import repaired

LINE_END = st.sampled_from([b"\r\n", b"\n"])
STATUS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.3 204", b"HTTP/1.0  500 A\0B", b"HTTP/2.0 200 OK", b"x"]
)
FIELD = st.sampled_from(
    [
        b"Content-Length: 5",
        b"content-length : 5, 5",
        b"Content-Length: 6",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding:",
        b" folded",
        b"\tfolded\x01",
        b"X: \x7f",
        b"X: a\rb",
        b"X: \0",
        b"no colon",
        b"Y:",
    ]
) | st.binary(max_size=12)
HEAD = st.tuples(STATUS, st.lists(st.tuples(LINE_END, FIELD), max_size=5), LINE_END, LINE_END)


class Seen:
    def __init__(self):
        self.heads = 0
        self.fields = []

    def on_headers_complete(self):
        self.heads += 1

    def on_header(self, name, value):
        self.fields.append((name.lower(), value))


def joined(head):
    status, fields, end, blank = head
    return status + b"".join(mark + field for mark, field in fields) + end + blank


def outcome(data):
    try:
        return repaired(data)
    except ValueError:
        return None


@given(HEAD, st.binary(max_size=20))
def test_accepted_response_is_one_head_in_strict_form(head, behind):
    found = outcome(joined(head) + behind)
    if found is None:
        return
    seen = Seen()
    httptools.HttpResponseParser(seen).feed_data(found.head)
    assert seen.heads == 1
    names = [name for name, _ in seen.fields]
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= max(
        1, names.count(b"transfer-encoding")
    )
    assert not any(byte < 32 and byte != 9 for _, value in seen.fields for byte in value)


@given(HEAD, st.integers(0, 60))
def test_a_head_that_is_cut_is_incomplete_or_refused(head, cut):
    data = joined(head)
    whole = outcome(data)
    if whole is None or cut >= whole.size:
        return
    assert outcome(data[:cut]) is None


@given(HEAD)
def test_a_head_in_strict_form_stays_as_it_is(head):
    found = outcome(joined(head))
    if found is not None:
        again = repaired(found.head)
        assert (again.head, again.size, again.close) == (found.head, len(found.head), False)
