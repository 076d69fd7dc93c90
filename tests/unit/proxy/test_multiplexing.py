"""The proxy on connections to members that carry many streams: nothing in it assumes one request a connection."""

import pytest

from tests.kit.memory_codec import World
from tests.kit.multiplexing_link import MultiplexingLink


@pytest.fixture
def world():
    world = World(members=2)
    for member in world.members:
        member.link = MultiplexingLink()
    return world


@pytest.fixture
def single():
    world = World(members=1)
    world.members[0].link = MultiplexingLink()
    return world


def test_one_dial_serves_all_that_wait_for_it(single):
    link = single.link()
    for number in range(3):
        single.ask("GET", f"/{number}")
    assert (link.dials, link.busy, link.streams) == (1, 1, 3)
    link.connect()
    assert [stream.sent for stream in link.streams_open] == [[("GET", f"/{n}", b"", True)] for n in range(3)]
    assert (link.dials, link.busy, link.idle, link.streams) == (1, 1, 0, 3)


def test_streams_of_a_connection_end_in_any_order(single):
    first, second = single.ask(), single.ask()
    link = single.link()
    link.connect()
    link.streams_open[1].answer(200, b"second")
    link.streams_open[0].answer(200, b"first")
    assert (first.sent, second.sent) == ([("head", 200, b"first", True)], [("head", 200, b"second", True)])
    assert (link.idle, link.busy, link.streams) == (1, 0, 0)


def test_client_that_leaves_ends_its_stream_and_no_other(single):
    leaving, staying = single.ask(), single.ask()
    link = single.link()
    link.connect()
    leaving.exchange.stream_lost()
    assert link.streams == 1
    link.streams_open[0].answer(200)
    assert staying.status == 200


def test_client_that_leaves_before_the_connection_is_open_leaves_the_dial_to_others(single):
    leaving, staying = single.ask(), single.ask()
    leaving.exchange.stream_lost()
    link = single.link()
    link.connect()
    link.streams_open[0].answer(200)
    assert (staying.status, link.dials) == (200, 1)


def test_request_that_was_not_processed_goes_to_another_member_whatever_its_method(world):
    client = world.ask("POST", "/", b"ab", 2)
    first, second = sorted((world.link(0), world.link(1)), key=lambda link: -link.streams)
    first.connect()
    first.streams_open[0].refuse()
    second.connect()
    assert second.streams_open[0].sent == [("POST", "/", b"ab", True)]
    second.streams_open[0].answer(201)
    assert client.status == 201


def test_streams_that_a_closing_connection_processed_are_not_repeated(world):
    clients = [world.ask("POST", "/", b"ab", 2) for _ in range(4)]
    first, second = world.link(0), world.link(1)
    first.connect()
    first.go_away(last=1)
    second.connect()
    assert (first.streams, second.streams) == (1, 3)
    for stream in (*first.streams_open[:], *second.streams_open[:]):
        stream.answer(200)
    assert [client.status for client in clients] == [200] * 4


def test_only_member_is_asked_again_when_it_did_not_process_a_request(single):
    client = single.ask("POST", "/", b"ab", 2)
    link = single.link()
    link.connect()
    link.go_away(last=0)
    assert client.sent == []
    link.connect()
    link.streams_open[0].answer(201)
    assert (client.status, link.dials) == (201, 2)


def test_member_that_keeps_refusing_streams_is_not_asked_for_ever(single):
    client = single.ask("POST", "/", b"ab", 2)
    link = single.link()
    link.connect()
    for _ in range(3):
        link.streams_open[0].refuse()
    assert (client.status, link.streams) == (503, 0)
