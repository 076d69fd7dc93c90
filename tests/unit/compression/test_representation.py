"""Heads of content that was coded or decoded here."""

import pytest

from adc.compression.representation import recode, restate_validator, vary_by_coding
from adc.http.headers import Headers


def test_coded_content_has_a_weak_tag_and_no_digest_or_ranges():
    headers = Headers(
        [
            (b"Content-Type", b"text/html"),
            (b"ETag", b'"a"'),
            (b"Accept-Ranges", b"bytes"),
            (b"Content-Digest", b"sha-256=:AA==:"),
            (b"Repr-Digest", b"sha-256=:AA==:"),
            (b"Digest", b"x"),
            (b"Content-MD5", b"x"),
        ]
    )
    assert headers.get(b"etag") == b'"a"'
    recode(headers, "br")
    assert headers.pairs == [
        (b"Content-Type", b"text/html"),
        (b"ETag", b'W/"a"'),
        (b"Content-Encoding", b"br"),
    ]
    assert headers.get(b"etag") == b'W/"a"'


def test_a_weak_tag_stays_as_it_is():
    headers = Headers([(b"ETag", b'W/"a"')])
    recode(headers, "gzip")
    assert headers.get(b"etag") == b'W/"a"'


def test_decoded_content_has_no_content_encoding():
    headers = Headers([(b"Content-Encoding", b"gzip"), (b"ETag", b'"a"')])
    recode(headers, None)
    assert headers.pairs == [(b"ETag", b'W/"a"')]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [b"Accept-Encoding"]),
        ([b"Origin"], [b"Origin, Accept-Encoding"]),
        ([b"Origin", b"Cookie"], [b"Origin, Cookie, Accept-Encoding"]),
        ([b"accept-encoding"], [b"accept-encoding"]),
        ([b"Origin,Accept-Encoding"], [b"Origin,Accept-Encoding"]),
        ([b"X-Accept-Encoding"], [b"X-Accept-Encoding, Accept-Encoding"]),
        ([b"*"], [b"*"]),
    ],
)
def test_vary_names_accept_encoding_once(before, after):
    headers = Headers([(b"Vary", value) for value in before])
    vary_by_coding(headers)
    vary_by_coding(headers)
    assert headers.get_all(b"vary") == after


@pytest.mark.parametrize(
    ("held", "tag"),
    [
        (b'W/"a"', b'W/"a"'),
        (b'"x", W/"a"', b'W/"a"'),
        (b'"a"', b'"a"'),
        (b'W/"a", "a"', b'"a"'),
        (b'W/"b"', b'"a"'),
        (b"*", b'"a"'),
        (None, b'"a"'),
    ],
)
def test_a_304_names_the_tag_that_the_client_holds(held, tag):
    headers = Headers([(b"ETag", b'"a"')])
    restate_validator(headers, held)
    assert headers.get(b"etag") == tag
    assert (b"vary" in headers) is (tag == b'W/"a"')


def test_a_304_without_a_tag_is_left_alone():
    headers = Headers([(b"Date", b"x")])
    restate_validator(headers, b'W/"a"')
    assert headers.pairs == [(b"Date", b"x")]
