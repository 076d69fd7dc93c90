"""The state tables of HTTP/1.1 connections, and that connections keep to them."""

import pytest

from adc.codecs.http1 import states
from adc.compilation import compiled
from adc.http.message import UNKNOWN_LENGTH
from tests.kit.client import chunked, get
from tests.kit.http1 import ClientSide, MemberSide, request

TABLES = [
    (states.CLIENT_STATES, states.CLIENT_TRANSITIONS),
    (states.MEMBER_STATES, states.MEMBER_TRANSITIONS),
]


@pytest.mark.parametrize(("names", "transitions"), TABLES, ids=["client", "member"])
def test_every_state_is_in_the_table_and_can_be_reached(names, transitions):
    assert set(transitions) == set(range(len(names)))
    reached, pending = {0}, [0]
    while pending:
        for state in transitions[pending.pop()]:
            if state not in reached:
                reached.add(state)
                pending.append(state)
    assert reached == set(transitions)


@pytest.mark.parametrize(("names", "transitions"), TABLES, ids=["client", "member"])
def test_every_state_can_end_in_the_last_one(names, transitions):
    last = len(names) - 1
    assert transitions[last] == ()
    assert all(last in following for state, following in transitions.items() if state != last)


@pytest.mark.skipif(compiled(), reason="compiled attributes cannot be watched")
def test_transition_that_is_in_no_table_raises():
    side = ClientSide(answers=False)
    side.receive(get())
    with pytest.raises(AssertionError, match="PIPELINED -> BODY is in no table"):
        side.connection._state = states.BODY


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (b"", "HEAD"),
        (b"LIST / HTTP/1.1\r\nHo", "ODD_HEAD"),
        (get("/", "Content-Length: 2", method="POST"), "BODY"),
        (chunked(b"a")[:-2], "CHUNKED"),
        (get(), "PIPELINED"),
        (b"?\r\n\r\n", "LINGER"),
    ],
)
def test_representation_of_a_clients_connection_tells_its_state(data, state):
    side = ClientSide(answers=False)
    if data:
        side.receive(data)
    assert f"<ServerConnection 192.0.2.1 {state} " in repr(side.connection)


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (b"", "RESPONSE_HEAD"),
        (b"HTTP/1.1 200 OK\nA", "ODD_RESPONSE_HEAD"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na", "RESPONSE_BODY"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\na", "RESPONSE_REST"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n", "RESPONSE_CHUNKS"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n01 ;\n", "ODD_CHUNKS"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "UNTIL_CLOSE"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "IDLE"),
    ],
)
def test_representation_of_a_members_connection_tells_its_state(data, state):
    side = MemberSide()
    if data:
        side.receive(data)
    assert f"<ClientConnection {state} " in repr(side.connection)


def test_tunnel_follows_the_content_of_a_request_that_switches_protocols():
    side = ClientSide(answers=False)
    side.receive(get("/", "Connection: upgrade", "Upgrade: x", "Content-Length: 2", method="POST") + b"a")
    (exchange,) = side.requests
    switch = MemberSide(request(upgrade=b"x"))
    switch.receive(b"HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello")
    assert "RESPONSE_TUNNEL" in repr(switch.connection)
    exchange.switched = True
    exchange.stream.send_head(switch.receiver.head, switch.receiver.body, False)
    assert "UPGRADING" in repr(side.connection)
    side.receive(b"braw")
    assert "TUNNEL" in repr(side.connection)
    assert exchange.body == b"abraw"


def test_tunnel_of_a_member_ends_with_its_connection():
    side = MemberSide(request(upgrade=b"x", length=UNKNOWN_LENGTH))
    side.receive(b"HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
    side.receive(b"raw")
    side.end()
    assert (side.receiver.body, side.receiver.complete) == (b"raw", True)
    assert "LOST" in repr(side.connection)
