"""The table of usual spellings of field names, in which a request's fields are looked up."""

import pytest

from adc.codecs.http1 import request_fields
from adc.codecs.http1.parsed_head import ParsedHead
from adc.codecs.http1.request_fields import RequestFields
from adc.http.familiar import FAMILIAR
from adc.http.fields import SPECIAL


def rows():
    """The names in each place of the table."""
    for entry in request_fields._SPELLED:
        row = []
        while entry is not None:
            row.append(entry.text)
            entry = entry.following
        yield row


@pytest.mark.parametrize("spell", [bytes, bytes.lower, bytes.title], ids=["as it is", "lower", "title"])
def test_usual_spellings_are_found_in_the_table(spell):
    fields = RequestFields()
    fields.begin()
    for name in {*FAMILIAR, *SPECIAL}:
        fields.add(spell(name), b"x")
    assert fields._others is None


def test_name_in_two_spellings_is_odd():
    fields = RequestFields()
    fields.begin()
    fields.add(b"Accept", b"x")
    assert not fields.odd
    fields.add(b"accept", b"x")
    assert fields.odd


def test_names_are_spread_over_the_table():
    assert max(map(len, rows())) <= 4


def test_strangers_cannot_fill_the_table():
    before = list(rows())
    fields = RequestFields()
    fields.begin()
    for number in range(5000):
        fields.add(b"X-%d" % number, b"x")
    assert list(rows()) == before


def test_fields_of_the_connection_are_not_kept():
    fields = RequestFields()
    fields.begin()
    for name in (b"Host", b"Connection", b"Accept", b"TE"):
        fields.add(name, b"x")
    head = ParsedHead("GET", "/", 1, 1, fields.lines, False, False, fields)
    assert head.kept == [(b"Host", b"x"), (b"Accept", b"x")]
    assert [name for name, _ in head.lines] == [b"Host", b"Connection", b"Accept", b"TE"]
