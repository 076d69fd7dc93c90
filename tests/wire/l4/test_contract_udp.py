"""The UDP listeners of contract/07-l4.yaml and 09-cluster-udp.yaml, served by real processes of two workers."""

import asyncio
import contextlib
import os
import signal
from functools import partial

import yaml

from tests.kit.datagrams import Visitor, member
from tests.kit.ports import free_port
from tests.wire.contract import contract
from tests.wire.redis_server import RedisServer, needs_redis
from tests.wire.service import Service, explained, until


def long_header(to, of):
    """Return a QUIC datagram with a long header (RFC 9000 section 17.2)."""
    return b"\xc3\0\0\0\x01" + bytes([len(to)]) + to + bytes([len(of)]) + of + b"hello"


def answer(name):
    return lambda data: [name + data]


@contextlib.asynccontextmanager
async def dns(folder, members, options=None, pool=None):
    """Serve the listener `dns` of the contract to members of the test, with other options of listener and pool."""
    mapping = yaml.safe_load(contract("07-l4"))
    port = free_port()
    (listener,) = [each for each in mapping["listeners"] if each["name"] == "dns"]
    mapping["listeners"] = [listener | {"bind": f"127.0.0.1:{port}"} | (options or {})]
    mapping["pools"] = {"resolvers": mapping["pools"]["resolvers"] | {"members": members} | (pool or {})}
    mapping |= {"admin": {"bind": "@admin"}, "workers": 2, "state": {"path": str(folder / "state")}}
    folder.mkdir(exist_ok=True)
    service = Service(folder)
    service.write(yaml.safe_dump(mapping))
    try:
        await service.started()
        async with explained(service):
            yield service, ("127.0.0.1", port)
    finally:
        service.close()


async def workers(service):
    return [each["pid"] for each in (await service.status())["workers"]]


async def test_clients_of_an_address_keep_their_member_over_reloads_and_a_dead_worker(tmp_path):
    with contextlib.ExitStack() as opened:
        async with member(answer(b"a")) as a, member(answer(b"b")) as b:
            addresses = [a.address, b.address]
            async with dns(tmp_path / "adc", addresses) as (service, address):
                visitors = [opened.enter_context(Visitor(address)) for _ in range(8)]
                first = {(await visitor.ask(b"?"))[:1] for visitor in visitors}
                assert len(first) == 1
                service.signal(signal.SIGHUP)
                await until(partial(_reloaded, service))
                for visitor in visitors:
                    assert (await visitor.ask(b"?"))[:1] in first
                assert len({*a.senders, *b.senders}) == 8
                victim = (await workers(service))[0]
                os.kill(victim, signal.SIGKILL)
                for visitor in visitors:
                    assert (await visitor.ask(b"?"))[:1] in first


async def test_a_quic_client_keeps_its_member_whichever_worker_its_new_address_leads_to(tmp_path):
    def chosen(name):
        return lambda data: [name + data] if data[0] < 128 else [long_header(b"", b"\0" + name + b"nonce")]

    async with member(chosen(b"aa")) as a, member(chosen(b"bb")) as b:
        listener, pool = {"udp": {"quic": {}}}, {"balance": "round_robin"}
        async with dns(tmp_path / "adc", [a.address, b.address], listener, pool) as (_, address):
            with Visitor(address) as visitor:
                reply = await visitor.ask(long_header(b"firstid1", b""))
            name = b"aa" if b"aa" in reply else b"bb"
            for _ in range(16):
                with Visitor(address) as visitor:
                    assert (await visitor.ask(b"\x43\0" + name + b"nonce" + b"data")).startswith(name)


async def test_a_shutdown_serves_open_sessions_until_the_second_signal(tmp_path):
    async with member() as a, dns(tmp_path / "adc", [a.address]) as (service, address):
        with Visitor(address) as visitor:
            await visitor.ask(b"1")
            service.signal(signal.SIGTERM)
            await service.told("STOPPING=1")
            assert [await visitor.ask(b"%d" % number) for number in range(50)] == [
                b"%d" % n for n in range(50)
            ]
            assert len(set(a.senders)) == 1
            service.signal(signal.SIGTERM)
            assert await service.ended() == 0


async def _reloaded(service):
    return (await service.status())["last_reload"] is not None


async def _acquainted(service):
    """True if all workers of the service know the other node."""
    return "adc_cluster_nodes 1.0" in await service.metrics()


def _node(folder, name, redis, members):
    """Return a service that is one node of the contract's cluster, and the address of its listener."""
    port = free_port()
    mapping = yaml.safe_load(contract("09-cluster-udp"))
    mapping["listeners"][0]["bind"] = f"127.0.0.1:{port}"
    mapping["pools"]["game"]["members"] = members
    mapping["cluster"]["advertise"] = f"127.0.0.1:{free_port()}"
    mapping["state"] |= {"url": redis.url, "path": str(folder / f"state-{name}"), "timeout": "1s"}
    mapping |= {"node": name, "workers": 2, "admin": {"bind": "@admin"}, "shutdown": {"grace": "0s"}}
    (folder / name).mkdir()
    service = Service(folder / name)
    service.write(yaml.safe_dump(mapping))
    return service, ("127.0.0.1", port)


@needs_redis
async def test_two_nodes_deliver_datagrams_whatever_their_path(tmp_path):
    redis = RedisServer(tmp_path)
    redis.start()
    async with member(answer(b"a")) as a, member(answer(b"b")) as b:
        nodes = [_node(tmp_path, name, redis, [a.address, b.address]) for name in ("adc-a", "adc-b")]
        services, addresses = zip(*nodes, strict=True)
        try:
            await asyncio.gather(*(service.started() for service in services))
            async with explained(*services):
                for service in services:
                    await until(partial(_acquainted, service))
                for _ in range(8):
                    with Visitor(addresses[0]) as visitor:
                        member_of = (await visitor.ask(b"?"))[:1]
                        for number in range(6):
                            visitor.address = addresses[number % 2]
                            visitor.send(b"?")
                            assert await visitor.receive() == (member_of + b"?", visitor.address)
                assert len({*a.senders, *b.senders}) == 8
        finally:
            for service in services:
                service.close()
            redis.kill()
