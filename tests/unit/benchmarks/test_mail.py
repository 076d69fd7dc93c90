"""Both sides of the mail rows, and what the peers of them are told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from benchmarks import mail_member
from benchmarks.loads import mail_client
from benchmarks.loads.mail_client import MailConversation, outcome
from benchmarks.mail_member import MailSession
from benchmarks.peers import adc_flows, nginx_mail
from benchmarks.processes import greets
from tests.kit.ports import free_port
from tests.kit.waiting import PATIENCE
from tests.unit.benchmarks.test_flows import site_with


def test_member_and_client_understand_each_other_in_pieces() -> None:
    talk, session = MailConversation(3), MailSession()
    sent, now = talk.feed(b"220 member\r\n", 0.0), 0.0
    while not talk.over:
        now += 1.0
        replies = b"".join(session.feed(sent[at : at + 1000]) for at in range(0, len(sent), 1000))
        sent = b"".join(talk.feed(replies[at : at + 1], now) for at in range(len(replies)))
    assert session.over
    assert talk.accepted == [2.0, 2.0, 2.0]


def test_refusal_ends_a_conversation() -> None:
    with pytest.raises(ValueError, match="451 Later"):
        MailConversation(1).feed(b"451 Later\r\n", 0.0)


def test_load_counts_messages() -> None:
    port = free_port()
    threading.Thread(target=mail_member.serve, args=(port,), daemon=True).start()
    waiting = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if greets(port):
            break
        waiting.wait(0.05)
    found = mail_client.run(port, 0.05, 2, 2)
    assert found["requests"] > 0
    assert found["errors"] == 0
    assert found["bytes"] == found["requests"] * len(mail_client.CONTENT)


def test_outcome_without_messages() -> None:
    assert outcome([], 1.0, 3)["errors"] == 3


def test_peers_relay_mail_to_the_member() -> None:
    site = site_with(Path("/site"), protocol="smtp")
    (listener,) = adc_flows.configuration(site)["listeners"]
    assert (listener["protocol"], listener["smtp"]) == ("smtp", {"routes": [{"pool": "app"}]})
    assert f"add_header Auth-Port {site.origin_port};" in nginx_mail.configuration(site)
