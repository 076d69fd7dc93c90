import asyncio
import contextlib
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from adc.net.proxy_protocol import compose
from tests.kit.authority import Authority, tls_client
from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

ROOT = Path(__file__).parents[2]
ENDS = (("203.0.113.9", 4711), ("198.51.100.7", 443))


@pytest.fixture
async def member():
    async with Member() as member:
        yield member


async def test_source_over_its_limit_is_closed_and_may_come_back_later(tmp_path, member):
    listener = {"limits": {"connections_per_source": 2}}
    async with serving(tmp_path, config(member.address, listener=listener)) as proxy:
        async with proxy.client() as one, proxy.client() as two, proxy.client() as three:
            assert (await one.ask(get())).status == (await two.ask(get())).status == 200
            await three.closed()
            one.close()
            await eventually(lambda: len(proxy.connections) == 1)
            async with proxy.client() as four:
                assert (await four.ask(get())).status == 200
        assert proxy.listener.state.rejected == 1


async def test_trusted_proxy_is_not_limited_as_a_source(tmp_path, member):
    listener = {"limits": {"connections_per_source": 1}, "trusted_proxies": ["127.0.0.1"]}
    async with (
        serving(tmp_path, config(member.address, listener=listener)) as proxy,
        proxy.client() as one,
        proxy.client() as two,
    ):
        assert (await one.ask(get())).status == (await two.ask(get())).status == 200


async def test_handshakes_under_way_count_for_their_source(tmp_path, member):
    authority = Authority(tmp_path / "ca")
    listener = {
        "limits": {"connections_per_source": 2},
        "tls": {"certificates": [authority.issue("a.test")]},
    }
    async with (
        serving(tmp_path, config(member.address, listener=listener)) as proxy,
        proxy.client() as silent,
    ):
        served = await tls_client(proxy.port, authority.context())
        assert (await served.ask(get(host="a.test"))).status == 200
        with pytest.raises(ConnectionError):
            await tls_client(proxy.port, authority.context())
        silent.close()
        await eventually(lambda: not proxy.listener._accepting.accept_context.arriving)
        again = await tls_client(proxy.port, authority.context())
        assert (await again.ask(get(host="a.test"))).status == 200
        served.close()
        again.close()


async def test_listener_over_its_limit_counts_handshakes_too(tmp_path, member):
    authority = Authority(tmp_path / "ca")
    listener = {"limits": {"connections": 1}, "tls": {"certificates": [authority.issue("a.test")]}}
    async with (
        serving(tmp_path, config(member.address, listener=listener)) as proxy,
        proxy.client(),
        proxy.client() as second,
    ):
        await second.closed()
        assert proxy.listener.state.rejected == 1


async def test_connection_is_closed_after_its_last_request(tmp_path, member):
    listener = {"limits": {"requests_per_connection": 2}}
    async with (
        serving(tmp_path, config(member.address, listener=listener)) as proxy,
        proxy.client() as client,
    ):
        first = await client.ask(get())
        second = await client.ask(get())
        assert b"connection" not in first
        assert second[b"connection"] == b"close"
        assert await client.closed()


STARVED = """
    import asyncio, contextlib, json, resource, socket, sys
    import uvloop
    from pathlib import Path
    from tests.kit.member import Member
    from tests.kit.proxy import config, serving
    from tests.kit.client import get

    async def main(folder, listener):
        resource.setrlimit(resource.RLIMIT_NOFILE, (80, 80))
        async with Member() as member, serving(folder, config(member.address, listener=listener)) as proxy:
            print(proxy.port, flush=True)
            reader = asyncio.StreamReader()
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
            )
            await reader.readline()
            accepting = proxy.listener._accepting
            print(json.dumps([accepting.pauses, len(proxy.connections)]), flush=True)
            await reader.read()

    uvloop.run(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
"""


@contextlib.asynccontextmanager
async def killed_at_the_end(process):
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.parametrize("listener", [{}, {"proxy_protocol": ["10.0.0.0/8"]}], ids=["http", "proxy_protocol"])
async def test_accepting_pauses_at_the_descriptor_limit_and_goes_on_later(tmp_path, listener):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(STARVED),
        str(tmp_path),
        json.dumps(listener),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    async with asyncio.timeout(30), killed_at_the_end(process):
        port = int(await process.stdout.readline())
        # Those whom nobody accepts fit the queue (128): the kernel drops more, and they try again for seconds.
        waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(120)]
        first = waiting[0]
        first[1].write(get())
        assert (await first[0].readline()).startswith(b"HTTP/1.1 200")
        process.stdin.write(b"\n")
        pauses, held = json.loads(await process.stdout.readline())
        assert pauses >= 1
        assert held < 80
        for reader, writer in waiting[:-1]:
            assert not reader.at_eof()
            writer.transport.abort()
        reader, writer = waiting[-1]
        writer.write(get())
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.transport.abort()
        process.stdin.close()
        assert await process.wait() == 0


@pytest.mark.parametrize("header", [b"", compose("v1", ENDS), compose("v2", ENDS)], ids=["none", "v1", "v2"])
async def test_a_connection_behind_the_proxy_protocol_is_told_too(tmp_path, member, header):
    listener = {"limits": {"connections": 1}, "proxy_protocol": ["127.0.0.0/8" if header else "10.0.0.0/8"]}
    async with serving(tmp_path, config(member.address, listener=listener)) as proxy, proxy.client() as one:
        assert (await one.ask(header + get())).status == 200
        async with proxy.client() as two:
            reply = await two.ask(header + get())
            assert (reply.status, reply[b"connection"]) == (503, b"close")
            assert await two.closed()
        await eventually(lambda: proxy.listener.state.shedding == 0)
        assert not proxy.listener._accepting.accept_context.arriving
        assert (proxy.listener.state.rejected, len(proxy.connections)) == (1, 1)


async def test_a_connection_over_the_limit_of_the_listener_is_told_and_closed(tmp_path, member):
    listener = {"limits": {"connections": 1}}
    async with serving(tmp_path, config(member.address, listener=listener)) as proxy, proxy.client() as one:
        assert (await one.ask(get())).status == 200
        async with proxy.client() as two:
            reply = await two.ask(get())
            assert (reply.status, reply[b"connection"], reply[b"retry-after"]) == (503, b"close", b"5")
            assert await two.closed()
        assert (await one.ask(get())).status == 200
        await eventually(lambda: proxy.listener.state.shedding == 0)
        one.close()
        await eventually(lambda: not proxy.connections)
        async with proxy.client() as three:
            assert (await three.ask(get())).status == 200
        assert len(member.requests) == 3


async def test_only_so_many_over_the_limit_are_told_at_the_same_time(tmp_path, member, monkeypatch):
    """Who is told is kept for a while, so the others of a flood are closed without a word."""
    monkeypatch.setattr("adc.net.accept.MOST_SHED", 1)
    listener = {"limits": {"connections": 1}}
    async with serving(tmp_path, config(member.address, listener=listener)) as proxy, proxy.client() as one:
        assert (await one.ask(get())).status == 200
        state = proxy.listener.state
        async with proxy.client() as told:
            await eventually(lambda: state.shedding == 1)
            async with proxy.client() as other:
                await other.send(get())
                await other.closed()
            assert (await told.ask(get())).status == 503
        await eventually(lambda: state.shedding == 0)
        async with proxy.client() as later:
            assert (await later.ask(get())).status == 503
        assert (state.rejected, len(proxy.connections)) == (3, 1)


@pytest.mark.parametrize("missing", ["proxy_protocol", "tls"])
async def test_connection_in_its_handshake_is_closed_at_the_end(tmp_path, member, missing):
    """Nobody waits for a header or a handshake that may never come, nor is told that one failed."""
    certificate = Authority(tmp_path / "ca").issue("a.test")
    listener = {
        "proxy_protocol": {"proxy_protocol": ["127.0.0.0/8"]},
        "tls": {"tls": {"certificates": [certificate]}},
    }[missing]
    async with (
        serving(tmp_path, config(member.address, listener=listener)) as proxy,
        proxy.client() as silent,
    ):
        await eventually(lambda: proxy.listener.open_connections)
        proxy.listener.drop_all("shutdown")
        await silent.closed()
        await eventually(lambda: not proxy.listener.open_connections)
        assert proxy.listener.service.refusals == {}
