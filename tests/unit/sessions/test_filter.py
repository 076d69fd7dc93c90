"""Filters of sessions: what a client may be."""

import pytest

from adc.sessions.filter import FlowFilter
from adc.sessions.session import Session, Timeouts


def session_of(client):
    return Session("tcp", "db", client, None, Timeouts(1.0, 1.0, 1.0))


@pytest.mark.parametrize(
    ("wanted", "client"),
    [
        ("192.0.2.7", ("192.0.2.7", 4711)),
        ("192.0.2.0/24", ("192.0.2.7", 4711)),
        ("192.0.2.7", ("::ffff:192.0.2.7", 4711, 0, 0)),
        ("192.0.2.7:4711", ("192.0.2.7", 4711)),
        ("2001:db8::1", ("2001:db8::1", 4711, 0, 0)),
        ("2001:db8::/32", ("2001:db8::1", 4711, 0, 0)),
        ("[2001:db8::1]:4711", ("2001:db8::1", 4711, 0, 0)),
        ("/run/app.sock", "/run/app.sock"),
        ("-", None),
    ],
)
def test_client_matches(wanted, client):
    assert FlowFilter(client=wanted).matches(session_of(client), 0.0)


@pytest.mark.parametrize(
    "wanted",
    [
        "192.0.2.0/33",
        "192.0.2.700",
        "192.0.2.7:x",
        "192.0.2.7:70000",
        "2001:db8::1]:80",
        "[192.0.2.7]:80",
        "db",
    ],
)
def test_client_that_none_can_be_is_rejected(wanted):
    with pytest.raises(ValueError, match="use an address, a network"):
        FlowFilter(client=wanted)
