import asyncio
from contextlib import closing, suppress

import pytest

from benchmarks.loads.paced_client import Connection, PacedRun, Response, request_head

OK = b"HTTP/1.1 200 OK\r\nServer: o\r\nContent-Length: 2\r\n\r\nhi"


@pytest.mark.parametrize("cut", range(1, len(OK)))
def test_a_response_is_complete_with_its_last_byte_wherever_it_was_cut(cut):
    response = Response()
    assert not response.add(OK[:cut])
    assert response.add(OK[cut:])
    assert (response.status, response.size) == (200, len(OK))


def test_a_response_without_a_content_length_is_an_error():
    with pytest.raises(ValueError, match="invalid literal"):
        Response().add(b"HTTP/1.1 200 OK\r\n\r\n")


def test_hosts_and_prefixes_cover_the_routes_of_the_site():
    heads = [request_head(number) for number in range(10)]
    routes = {(head.split(b"/")[1], head.split(b"Host: ")[1].split(b".")[0]) for head in heads}
    assert len(routes) == 10


class Member:
    """Answers each GET with `reply` and collects the paths."""

    def __init__(self, reply):
        self.reply = reply
        self.paths = []

    async def serve(self, reader, writer):
        with closing(writer), suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.paths.append(head.split(b" ")[1])
                writer.write(self.reply)


async def run_against(reply, connections, rate, total):
    member = Member(reply)
    server = await asyncio.start_server(member.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def run():
        opened = [Connection(port) for _ in range(connections)]
        try:
            return PacedRun(opened, rate, total).run()
        finally:
            for connection in opened:
                connection.close()

    async with server:
        return await asyncio.to_thread(run), member


async def test_every_request_is_sent_once_and_not_before_its_time():
    outcome, member = await run_against(OK, connections=2, rate=1000, total=30)
    assert len(set(member.paths)) == len(member.paths) == outcome.requests == 30
    assert outcome.bytes == 30 * len(OK)
    assert outcome.microseconds >= 29_000


async def test_latency_counts_from_when_the_request_was_due():
    outcome, _ = await run_against(OK, connections=1, rate=1_000_000, total=50)
    assert outcome.p50 > outcome.microseconds / 4


async def test_error_statuses_are_counted():
    outcome, _ = await run_against(OK.replace(b"200 OK", b"503 No"), connections=2, rate=1000, total=5)
    assert outcome.refused == 5
