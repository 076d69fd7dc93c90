"""Mailboxes and parameters of MAIL and RCPT."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.smtp import parameters as params
from adc.smtp.path import EMPTY, Mailbox, parse_path, parse_recipient, parse_sender, split_path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("<a@b.test>", Mailbox("a", "b.test")),
        ("a@b.test", Mailbox("a", "b.test")),
        ("<@relay.test,@other.test:a@b.test>", Mailbox("a", "b.test")),
        ('<"a b@c"@d>', Mailbox('"a b@c"', "d")),
        ('<"a\\">"@d>', Mailbox('"a\\">"', "d")),
        ("<a@[192.0.2.1]>", Mailbox("a", "[192.0.2.1]")),
        ("<a+b.c@d>", Mailbox("a+b.c", "d")),
        ("<é@bücher.test>", Mailbox("é", "bücher.test")),
        ("<a@[IPv6:2001:db8::1]>", Mailbox("a", "[IPv6:2001:db8::1]")),
        ("<user%other.test@b>", Mailbox("user%other.test", "b")),
        ("<other.test!user@b>", Mailbox("other.test!user", "b")),
        ("<a\x7f@b>", None),
        ("<a\t@b>", None),
        ('<"a\0b"@c>', None),
        ('<"a\rb"@c>', None),
        ('<"a"b@c>', None),
        ('<"a@c>', None),
        ("<a@b.>", None),
        ("<a@b..c>", None),
        ("<a@b,c@d>", None),
        ("<(comment)a@b>", None),
        ("<a@b(comment)>", None),
        ("<@relay.test:>", None),
        ("<@relay.test>", None),
        ("<a@[192.0.2.1]x>", None),
        ("<a@[1<2]>", None),
        ("<>", None),
        ("<a>", None),
        ("<@b>", None),
        ("<a@>", None),
        ("<a@b@c>", None),
        ("<a b@c>", None),
        ("<.a@c>", None),
        ("<a..b@c>", None),
        ("<a@-c>", None),
        ("<a@b>>", None),
        ("<<a@b>", None),
        ("<a@b", None),
        ("<a@\udcff>", None),
        ("<" + "a" * 65 + "@b>", None),
        ("<a@" + "b" * 256 + ">", None),
    ],
)
def test_path(path, expected):
    assert parse_path(path) == expected


def test_empty_sender_and_bare_postmaster():
    assert parse_sender("<>") == EMPTY
    assert parse_recipient("<Postmaster>").address == "Postmaster"
    assert parse_recipient("<>") is None


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("FROM:<a@b> SIZE=1", ("<a@b>", "SIZE=1")),
        ("from: <a@b>", ("<a@b>", "")),
        ('FROM:<"x y>"@b> A=1 B', ('<"x y>"@b>', "A=1 B")),
        ("FROM:<a@b>SIZE=1", None),
        ("FROM:<a@b>\tSIZE=1", None),
        ("FROM:<a@b>\x0b", None),
        ("FROM :<a@b>", None),
        ("TO:<a@b>", None),
        ("FROM:", ("", "")),
    ],
)
def test_split(argument, expected):
    assert split_path(argument, "FROM:") == expected


@given(st.text(max_size=60))
def test_no_text_makes_the_parser_fail(text):
    parts = split_path("FROM:" + text, "FROM:")
    if parts is not None:
        parse_sender(parts[0])
        parse_recipient(parts[0])


ALL = frozenset(("SIZE", "8BITMIME", "SMTPUTF8", "DSN"))


@pytest.mark.parametrize(
    "text", ["SIZE=1 SIZE=2", "SIZE==", "=1", "A=B=C", "SIZE=\x00", " ".join("ABCDEFGHIJKLMNOPQRSTU")]
)
def test_malformed_parameters_are_refused(text):
    with pytest.raises(params.BadParameters):
        params.parse_parameters(text, params.MAIL, ALL)


def test_parameters_of_extensions_that_are_not_offered_are_refused():
    with pytest.raises(params.BadParameters, match="Unsupported parameter RET"):
        params.parse_parameters("RET=HDRS", params.MAIL, frozenset(("SIZE",)))


def test_member_gets_what_it_offers_and_lacks_nothing_that_is_needed():
    found = params.parse_parameters("SIZE=10 body=8bitmime", params.MAIL, ALL)
    assert params.spelled(found, params.MAIL, frozenset(("8BITMIME",))) == " BODY=8bitmime"
    assert params.missing(found, params.MAIL, frozenset(("SIZE",))) == "8BITMIME"
    assert params.missing(found, params.MAIL, frozenset(("8BITMIME",))) == ""
