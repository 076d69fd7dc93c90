"""Content in motion: flushed at once, held back where the other side is slow, never gathered."""

import asyncio
import gc
import resource

import pytest

from tests.kit.client import get
from tests.kit.member import OK, Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled

MEGABYTE = 1 << 20


def resident():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


async def test_server_sent_events_are_passed_on_at_once(tmp_path):
    async def script(conversation):
        await conversation.request()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while True:
            await conversation.member.turn.acquire()
            await conversation.send(b"data: x\n\n")

    async with Member(script) as member, serving(tmp_path, config(member.address)) as proxy:
        member.turn = asyncio.Semaphore(0)
        async with proxy.client() as client:
            await client.send(get())
            await client.some()
            for _ in range(3):
                member.turn.release()
                assert await client.exactly(14) == b"9\r\ndata: x\n\n\r\n"


async def test_a_slow_client_stops_the_member_and_memory_stays_flat(tmp_path):
    total, piece = 200 * MEGABYTE, b"x" * MEGABYTE

    async def script(conversation):
        await conversation.request()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        for sent in range(0, total, MEGABYTE):
            await conversation.send(piece)
            conversation.sent = sent + MEGABYTE
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client(receive_buffer=1 << 16) as client,
    ):
        await client.send(get())
        await eventually(lambda: any(each._blocked for each in proxy.connections))
        await settled(50)
        assert member.connections[0].sent < 30 * MEGABYTE
        gc.collect()
        before, most, count = resident(), 0, 0
        while await client.reader.readuntil(b"\r\n") != b"\r\n":
            pass
        while count < total:
            count += len(await client.reader.read(MEGABYTE))
            most = max(most, resident())
        assert count == total
        assert most - before < 30 * MEGABYTE
        await eventually(proxy.access_log)
        assert proxy.access_log()[0]["bytes_out"] == total


async def test_a_slow_member_stops_the_client_and_memory_stays_flat(tmp_path):
    total = 200 * MEGABYTE

    async def script(conversation):
        await conversation.head()
        await conversation.member.go.wait()
        count = 0
        while count < total:
            count += len(await conversation.reader.read(MEGABYTE))
        await conversation.send(response(b"%d" % count))
        await conversation.rest()

    async with Member(script) as member, serving(tmp_path, config(member.address)) as proxy:
        member.go = asyncio.Event()
        async with proxy.client() as client:
            client.writer.transport.set_write_buffer_limits(high=MEGABYTE)
            client.writer.write(get("/", f"Content-Length: {total}", method="PUT"))
            sent = 0

            async def upload():
                nonlocal sent
                while sent < total:
                    client.writer.write(b"x" * MEGABYTE)
                    await client.writer.drain()
                    sent += MEGABYTE

            gc.collect()
            before, most = resident(), 0
            task = asyncio.create_task(upload())
            await eventually(lambda: any(each._paused for each in proxy.connections))
            await settled(50)
            assert sent < 30 * MEGABYTE
            member.go.set()
            while not task.done():
                await asyncio.sleep(0.01)
                most = max(most, resident())
            assert (await client.reply()).body == b"%d" % total
            assert most - before < 30 * MEGABYTE


async def test_a_client_that_stops_reading_is_cut_off(tmp_path):
    async with (
        Member(answering(response(b"x" * 8 * MEGABYTE))) as member,
        serving(tmp_path, config(member.address, listener={"timeouts": {"write": "5s"}})) as proxy,
        proxy.client(receive_buffer=4096) as client,
    ):
        client.writer.write(get())
        await eventually(lambda: any(each._blocked for each in proxy.connections))
        await settled(20)
        proxy.pass_time(6)
        await eventually(lambda: not proxy.connections)
        assert proxy.access_log()[0]["end_reason"] == "client_write_timeout"
        await eventually(lambda: proxy.links[0].connections == 0)


async def test_pipelined_requests_of_a_client_that_reads_nothing_are_not_all_served(tmp_path):
    body = "x" * 60_000
    routes = [{"name": "big", "respond": {"status": 200, "body": body}}]
    async with (
        serving(tmp_path, {**config("127.0.0.1:1"), "routes": routes}) as proxy,
        proxy.client(receive_buffer=4096) as client,
    ):
        client.writer.write(get() * 500)
        await eventually(lambda: any(each._blocked for each in proxy.connections))
        await settled(50)
        assert next(iter(proxy.connections)).requests < 200
        for _ in range(500):
            assert len((await client.reply()).body) == 60_000


async def test_a_slow_reader_holds_little_in_memory(tmp_path):
    async def script(conversation):
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(50):
            await conversation.send(b"x" * 1_000_000)
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client(receive_buffer=4096) as client,
    ):
        client.writer.write(get())
        await eventually(lambda: any(each._blocked for each in proxy.connections))
        (connection,) = proxy.connections
        assert connection._transport.get_write_buffer_size() <= 128 << 10
        await client.exactly(300_000)
        await settled(20)
        assert connection._transport.get_write_buffer_size() <= 128 << 10


async def test_a_finished_response_that_nobody_reads_does_not_keep_its_connection(tmp_path):
    routes = [{"name": "big", "respond": {"status": 200, "body": "x" * 60_000}}]
    async with (
        serving(tmp_path, {**config("127.0.0.1:1"), "routes": routes}) as proxy,
        proxy.client(receive_buffer=4096) as client,
    ):
        client.writer.write(get() * 500)
        await eventually(lambda: any(each._blocked for each in proxy.connections))
        await settled(20)
        for seconds in (76, 78):
            proxy.pass_time(seconds)
            assert proxy.connections
        proxy.pass_time(140)
        await eventually(lambda: not proxy.connections)


async def test_a_client_that_leaves_stops_the_member(tmp_path):
    async with (
        Member(lambda conversation: conversation.rest()) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get())
        await eventually(lambda: member.received)
        client.reset()
        await eventually(lambda: proxy.links[0].connections == 0)
        (record,) = proxy.access_log()
        assert (record["status"], record["end_reason"]) == (499, "client_gone")
        assert proxy.member().failures == 0
        assert proxy.member().active == 0


@pytest.mark.parametrize("keep_sending", [False, True])
async def test_a_response_before_the_end_of_the_request_is_delivered_and_both_sides_close(
    tmp_path, keep_sending
):
    async def script(conversation):
        await conversation.head()
        await conversation.send(response(b"enough", status=403))
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/", "Content-Length: 500000", method="POST") + b"x" * 1000)
        if keep_sending:
            await client.send(b"x" * 100_000)
        reply = await client.reply()
        assert (reply.status, reply.body) == (403, b"enough")
        await eventually(lambda: proxy.links[0].connections == 0)
        await client.send(b"x" * 1000)
        client.finish_sending()
        await client.closed()
        await eventually(lambda: not proxy.connections)


async def test_a_response_that_begins_before_the_request_ends_lets_both_go_on(tmp_path):
    async def script(conversation):
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        assert await conversation.exactly(4) == b"1234"
        await conversation.send(b"def")
        await conversation.request()
        await conversation.send(OK)
        await conversation.rest()

    async with (
        Member(script) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/", "Content-Length: 4", method="POST") + b"1")
        await client.some()
        await client.send(b"234")
        assert (await client.exactly(3)) == b"def"
        assert (await client.ask(get())).body == b"ok"
        assert len(member.connections) == 1
