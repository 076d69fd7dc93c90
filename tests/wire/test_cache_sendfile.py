"""Large objects on disk go out by sendfile, where the connection and the route leave content as it is."""

import os

import pytest

from adc.proxy.states import ENDED
from tests.kit.authority import Authority, tls_client
from tests.kit.client import get
from tests.kit.member import response
from tests.kit.waiting import eventually
from tests.wire.cached import caching

FRESH = "Cache-Control: max-age=100"
LARGE = os.urandom(3 << 20)
HUGE = os.urandom(16 << 20)


@pytest.fixture
def sent(monkeypatch):
    """How many bytes each sendfile sent."""
    counts = []
    plain = os.sendfile

    def counting(out, file, offset, count):
        counts.append(plain(out, file, offset, count))
        return counts[-1]

    monkeypatch.setattr(os, "sendfile", counting)
    return counts


def large(request):
    return response(LARGE if request.target == "/l" else b"small", FRESH)


def huge(request):
    return response(HUGE if request.target == "/h" else b"s", FRESH)


async def test_the_content_is_not_read_but_counted_and_logged(sent, tmp_path):
    async with caching(tmp_path, large) as cached:
        await cached.get("/l")
        assert sent == []
        assert (await cached.get("/l")).body == LARGE
        assert sum(sent) == len(LARGE)
        assert max(sent) <= 256 << 10
        record = cached.proxy.access_log()[-1]
        assert (record["bytes_out"], record["end_reason"], record["cache"]) == (len(LARGE), "-", "hit")


async def test_requests_behind_it_are_answered_on_the_same_connection(sent, tmp_path):
    async with caching(tmp_path, large) as cached:
        await cached.get("/l")
        await cached.client.send(get("/l") + get("/s") + get("/l", "Range: bytes=100000-1099999") + get("/s"))
        bodies = [(await cached.client.reply()).body for _ in range(4)]
        assert bodies == [LARGE, b"small", LARGE[100000:1100000], b"small"]
        assert sum(sent) == len(LARGE) + 1000000


async def test_parts_keep_their_order_between_texts(sent, tmp_path):
    async with caching(tmp_path, large) as cached:
        await cached.get("/l")
        reply = await cached.get("/l", "Range: bytes=0-599999,600010-600019,1000000-1999999")
        assert reply[b"content-length"] == b"%d" % len(reply.body)
        boundary = reply[b"content-type"].partition(b"boundary=")[2]
        parts = [part.partition(b"\r\n\r\n")[2][:-2] for part in reply.body.split(b"--" + boundary)[1:-1]]
        assert parts == [LARGE[:600000], LARGE[600010:600020], LARGE[1000000:2000000]]
        assert sum(sent) >= 1600000


async def test_the_end_of_the_content_closes_a_connection_that_is_not_kept(sent, tmp_path):
    async with caching(tmp_path, large) as cached:
        await cached.get("/l")
        async with cached.proxy.client() as once:
            assert (await once.ask(get("/l", "Connection: close"))).body == LARGE
            assert await once.closed()
    assert sum(sent) == len(LARGE)


async def test_content_that_is_encrypted_is_read(sent, tmp_path):
    authority = Authority(tmp_path / "ca")
    listener = {"tls": {"certificates": [authority.issue("a.test")]}}
    async with caching(tmp_path / "p", large, listener=listener) as cached:
        for _ in range(2):
            client = await tls_client(cached.proxy.port, authority.context())
            assert (await client.ask(get("/l", host="a.test"))).body == LARGE
            client.close()
        assert len(cached.asked) == 1
    assert sent == []


async def test_content_that_is_compressed_on_its_way_is_read(sent, tmp_path):
    text = b"0123456789" * (len(LARGE) // 10)
    route = {"compression": {}}
    async with caching(tmp_path, response(text, FRESH, "Content-Type: text/plain"), route=route) as cached:
        for _ in range(2):
            reply = await cached.get("/", "Accept-Encoding: gzip")
            assert reply[b"content-encoding"] == b"gzip"
        assert len(cached.asked) == 1
        assert sent == []
        assert (await cached.get("/")).body == text
        assert sum(sent) == len(text)


async def test_a_client_that_stops_reading_is_cut_off_in_time(tmp_path):
    async with caching(tmp_path, response(HUGE, FRESH)) as cached:
        await cached.get()
        before = len(os.listdir("/proc/self/fd"))
        async with cached.proxy.client(receive_buffer=1 << 14) as assignment:
            await assignment.send(get())
            (exchange,) = await eventually(lambda: cached.proxy.listener.service.active)
            await eventually(lambda: exchange.bytes_out > 1 << 20)
            await assignment.some()  # what the client takes later does not change what is due
            cached.proxy.pass_time(59)
            assert exchange.state != ENDED
            cached.proxy.pass_time(61)
            assert exchange.end_reason == "client_write_timeout"
            with pytest.raises(ConnectionError):
                await assignment.rest()
        await eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)


async def test_a_file_that_was_cut_short_breaks_the_response_off(tmp_path):
    async with caching(tmp_path, response(HUGE, FRESH)) as cached:
        await cached.get()
        (file,) = [path for path in (tmp_path / "c" / "objects").rglob("*") if path.is_file()]
        async with cached.proxy.client(receive_buffer=1 << 14) as client:
            await client.send(get())
            assert await client.some()
            os.truncate(file, 12 << 20)
            with pytest.raises(ConnectionError):
                await client.rest()
        assert cached.proxy.access_log()[-1]["end_reason"] == "cache_failed"
        assert "shorter" in cached.proxy.error_log()


async def test_one_client_does_not_hold_up_the_others(sent, tmp_path):
    async with caching(tmp_path, huge) as cached:
        for target in ("/h", "/s"):
            await cached.get(target)
        async with cached.proxy.client() as other:
            await cached.client.send(get("/h"))
            assert (await other.ask(get("/s"))).body == b"s"
            assert sum(sent) < len(HUGE)
            assert (await cached.client.reply()).body == HUGE


async def test_a_drain_lets_it_finish(tmp_path):
    async with caching(tmp_path, response(HUGE, FRESH)) as cached:
        await cached.get()
        async with cached.proxy.client(receive_buffer=1 << 14) as slow:
            await slow.send(get())
            (exchange,) = await eventually(lambda: cached.proxy.listener.service.active)
            await eventually(lambda: exchange.bytes_out > 1 << 20)
            cached.proxy.listener.drain()
            assert (await slow.reply()).body == HUGE
            assert await slow.closed()
            slow.close()  # else what it may still send is read for some seconds
            await eventually(lambda: not cached.proxy.connections)
