"""Routes of recipients, the reply for several pools, and what members are told of clients."""

import pytest

from adc.config.model.smtp import Smtp
from adc.http.client import Client
from adc.runtime.assembly.smtp import mail_routes
from adc.smtp.caller import Caller, xtext
from adc.smtp.path import EMPTY, Mailbox
from adc.smtp.replies import Reply, Result, joined, of_member, reply_of
from adc.smtp.routing import MailFacts, choose

SENDER = Mailbox("Ann", "Sender.test")


def routed(
    match, *, rcpt=("user", "Example.com"), sender=SENDER, source="192.0.2.1", sni="", size=None, auth=False
):
    smtp = Smtp.model_validate({"routes": [{"match": match, "pool": "yes"}, {"pool": "no"}]})
    return choose(mail_routes(smtp), MailFacts(Mailbox(*rcpt), sender, source, sni, size, auth)) == "yes"


@pytest.mark.parametrize(
    ("match", "facts", "expected"),
    [
        ({}, {}, True),
        ({"rcpt_domain": "example.com"}, {}, True),
        ({"rcpt_domain": ["other.test", "EXAMPLE.com"]}, {}, True),
        ({"rcpt_domain": "*.example.com"}, {}, False),
        ({"rcpt_domain": "*.example.com"}, {"rcpt": ("u", "mx.example.com")}, True),
        ({"rcpt_domain": "bücher.test"}, {"rcpt": ("u", "xn--bcher-kva.test")}, True),
        ({"rcpt_domain": "xn--bcher-kva.test"}, {"rcpt": ("u", "BÜCHER.test")}, True),
        ({"rcpt": "USER@example.com"}, {}, True),
        ({"rcpt": "user@example.com"}, {"rcpt": ('"user"', "example.com")}, True),
        ({"rcpt": "user@example.com"}, {"rcpt": ('"u\\ser"', "example.com")}, True),
        ({"sender": "ann@sender.test"}, {"sender": Mailbox('"ann"', "sender.test")}, True),
        ({"rcpt": "u@bücher.test"}, {"rcpt": ("u", "xn--bcher-kva.test")}, True),
        ({"rcpt": "u@xn--bcher-kva.test"}, {"rcpt": ("U", "BÜCHER.test")}, True),
        ({"rcpt": {"regex": "^us er@"}}, {"rcpt": ('"us er"', "example.com")}, False),
        ({"rcpt": {"regex": "^us.*@"}}, {}, True),
        ({"rcpt": "postmaster"}, {"rcpt": ("Postmaster", "")}, True),
        ({"sender_domain": "sender.test"}, {}, True),
        ({"sender": "<>"}, {}, False),
        ({"sender": "<>"}, {"sender": EMPTY}, True),
        ({"source": "192.0.2.0/24"}, {}, True),
        ({"source": "198.51.100.0/24"}, {}, False),
        ({"sni": "mail.test"}, {"sni": "mail.test"}, True),
        ({"sni": "mail.test"}, {}, False),
        ({"size": {"min": "1KB"}}, {"size": 1024}, True),
        ({"size": {"min": "1KB"}}, {"size": 1023}, False),
        ({"size": {"max": "1KB"}}, {"size": 1024}, True),
        ({"size": {"max": "1KB"}}, {"size": 1025}, False),
        ({"size": {"max": "1KB"}}, {}, False),
        ({"authenticated": True}, {"auth": True}, True),
        ({"authenticated": False}, {"auth": True}, False),
        ({"rcpt_domain": "example.com", "sender": "x@y"}, {}, False),
    ],
)
def test_route(match, facts, expected):
    assert routed(match, **facts) is expected


OK, LATER, NEVER = reply_of(250, "2.0.0 Ok"), reply_of(452, "4.3.1 Full"), reply_of(550, "5.7.1 Spam")


@pytest.mark.parametrize(
    ("replies", "status"),
    [
        ([OK], 250), ([OK, OK], 250), ([LATER], 452), ([NEVER], 550), ([NEVER, LATER], 452), ([NEVER, NEVER], 550),
        ([OK, LATER], 451), ([OK, NEVER], 554), ([OK, NEVER, LATER], 451), ([LATER, OK, OK], 451),
    ],
)  # fmt: skip
def test_joined_reply(replies, status):
    told = joined([Result([f"r{number}@x"], each) for number, each in enumerate(replies)])
    assert told.status == status


def test_reply_that_is_partly_negative_names_the_recipients_without_the_message():
    told = joined([Result(["a@x"], OK), Result(["b@y", "c@y"], NEVER)])
    assert told.lines == ("5.7.1 Delivered, but not to <b@y>, <c@y>: 5.7.1 Spam",)


def test_reply_of_a_member_cannot_become_two():
    assert of_member(550, "one\nt\rwo\x00").wire() == b"550-one\r\n550 t?wo?"
    assert of_member(550, "one\r\n250 two").wire() == b"550-one?\r\n550 250 two"
    assert of_member(550, "é" * 1000).wire() == b"550 " + "é".encode() * 240
    assert of_member(550, "a\udcff").wire() == b"550 a\xff"
    assert of_member(7, "what").status == 451
    assert len(of_member(550, "\n".join(["x" * 1000] * 100)).wire()) < 20 * 500


def test_wire_form_of_several_lines():
    assert Reply(250, ("a", "b", "c")).wire() == b"250-a\r\n250-b\r\n250 c"


def caller(peer="192.0.2.1", port=4711):
    found = Caller(Client(peer, "smtp", address=(peer, port), own_address=("192.0.2.9", 25)))
    found.helo, found.extended = "host.test", True
    return found


def test_received_field():
    found = caller("2001:db8::1")
    found.secure, found.login = True, "ann"
    assert found.received("mx.test", 0.0) == (
        b"Received: from host.test ([IPv6:2001:db8::1])\r\n\tby mx.test with ESMTPSA;\r\n"
        b"\tThu, 01 Jan 1970 00:00:00 -0000\r\n"
    )


def test_received_field_cannot_be_broken_by_the_client():
    found = caller()
    found.helo = "a(b)\r\nX: y"
    assert found.received("mx.test", 0.0).count(b"\r\n") == 3


def test_xclient_has_offered_attributes_only():
    assert caller().xclient("NAME ADDR") == "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.1"
    assert caller("2001:db8::1").xclient("ADDR HELO") == "XCLIENT ADDR=IPv6:2001:db8::1 HELO=host.test"
    assert caller().xclient("WHAT") == ""


def test_xtext():
    assert xtext("a+b =é") == "a+2Bb+20+3D+C3+A9"
