"""Media types by suffix."""

import pytest

from adc.files.media_types import ContentTypes


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"a/index.html", b"text/html; charset=utf-8"),
        (b"A.JS", b"text/javascript; charset=utf-8"),
        (b"a.tar.gz", b"application/gzip"),
        (b"a.json", b"application/json"),
        (b"a.svg", b"image/svg+xml"),
        (b"a.b/README", b"application/octet-stream"),
        (b".html", b"application/octet-stream"),
        (b"a.", b"application/octet-stream"),
        (b"a.\xff", b"application/octet-stream"),
        (b"a.x", b"text/x; charset=euc-kr"),
    ],
)
def test_the_suffix_names_the_type(name, kind):
    assert ContentTypes({".X": "text/x; charset=euc-kr"}, "utf-8").of(name) == kind


def test_without_a_charset_text_has_none():
    assert ContentTypes({}, "").of(b"a.html") == b"text/html"
