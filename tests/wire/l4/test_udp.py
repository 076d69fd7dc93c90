"""Datagrams through a UDP listener: sessions, replies, members that are away, limits."""

import socket
from time import monotonic

import pytest

from adc.firewall.buckets import Buckets
from adc.l4.udp.client_socket import OPENS
from adc.l4.udp.limits import DatagramRate
from adc.net.reactor import IN
from adc.runtime.serve.descriptors import last_for_clients
from adc.runtime.serve.udp_listener import QUIET_SECONDS
from adc.sessions.ring import GRAIN
from tests.kit.datagrams import config, member, relaying
from tests.kit.ports import free_port
from tests.kit.scarce_watches import scarce_watches
from tests.kit.waiting import eventually, settled

LARGEST = 65_507
"""Bytes of the largest datagram over IPv4."""


def named(name):
    return lambda data: [name + data]


async def test_datagrams_of_a_client_go_to_one_member_and_replies_come_back(tmp_path):
    async with member(named(b"a")) as a, member(named(b"b")) as b:
        mapping = config(a.address, b.address)
        async with relaying(tmp_path, mapping) as relay:
            visitor = relay.visitor()
            first = await visitor.ask(b"1")
            assert [await visitor.ask(b"%d" % n) for n in (2, 3)] == [first[:1] + b"2", first[:1] + b"3"]
            assert relay.sessions == 1
            other = await relay.visitor().ask(b"1")
            assert other != first
            assert relay.sessions == 2


async def test_replies_come_from_the_address_that_the_client_used(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address), host="0.0.0.0") as relay:
        for used in ("127.0.0.1", "127.0.0.7"):
            visitor = relay.visitor()
            visitor.address = (used, relay.address[1])
            visitor.send(b"hello")
            assert await visitor.receive() == (b"hello", (used, relay.address[1]))


async def test_one_client_socket_may_use_several_addresses_at_once(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address), host="0.0.0.0") as relay:
        visitor = relay.visitor()
        for used in ("127.0.0.1", "127.0.0.7", "127.0.0.1"):
            visitor.address = (used, relay.address[1])
            visitor.send(used.encode())
            assert await visitor.receive() == (used.encode(), visitor.address)
        assert relay.sessions == 2


async def test_replies_come_from_the_address_that_the_client_used_with_ipv6(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address), host="::") as relay:
        visitor = relay.visitor(own="::1", family=socket.AF_INET6)
        visitor.address = ("::1", relay.address[1])
        visitor.send(b"hello")
        assert await visitor.receive() == (b"hello", ("::1", relay.address[1], 0, 0))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_datagrams_are_neither_merged_nor_truncated(tmp_path, host):
    sizes = [0, 1, 0, 1_472, 1_473, 9_000, LARGEST, 2]
    async with member() as a, relaying(tmp_path, config(a.address), host=host) as relay:
        visitor = relay.visitor()
        visitor.address = ("127.0.0.1", relay.address[1])
        for size in sizes:
            assert await visitor.ask(bytes([size % 251]) * size) == bytes([size % 251]) * size
        assert [len(data) for data in a.received] == sizes


async def test_a_burst_is_passed_on_in_order(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        visitor = relay.visitor()
        for number in range(200):
            visitor.send(b"%d" % number)
        replies = [(await visitor.receive())[0] for _ in range(200)]
        assert replies == [b"%d" % number for number in range(200)] == a.received


async def test_a_session_ends_with_its_last_reply(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address, udp={"responses": 1})) as relay:
        visitor = relay.visitor()
        assert await visitor.ask(b"a?") == b"a?"
        await relay.ended()
        assert await visitor.ask(b"b?") == b"b?"
        await relay.ended()
        assert len(set(a.senders)) == 2
        assert relay.member().active == 0


async def test_replies_are_counted_for_each_datagram_of_the_client(tmp_path):
    async with member(lambda data: [data] * 2 if data == b"2" else []) as a:
        mapping = config(a.address, udp={"responses": 2})
        async with relaying(tmp_path, mapping) as relay:
            visitor = relay.visitor()
            visitor.send(b"none")
            assert await visitor.ask(b"2") == b"2"
            await visitor.receive()
            assert relay.sessions == 1
            assert await visitor.ask(b"2") == b"2"
            await visitor.receive()
            assert relay.sessions == 1


async def test_without_replies_a_session_ends_at_once(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address, udp={"responses": 0})) as relay:
        visitor = relay.visitor()
        visitor.send(b"log line")
        await eventually(lambda: a.received == [b"log line"])
        await relay.ended()
        await settled()
        assert visitor.nothing()


async def test_a_number_of_datagrams_ends_the_choice_of_a_member(tmp_path):
    async with member(named(b"a")) as a, member(named(b"b")) as b:
        mapping = config(a.address, b.address, udp={"requests": 2})
        async with relaying(tmp_path, mapping) as relay:
            visitor = relay.visitor()
            replies = [(await visitor.ask(b"?"))[:1] for _ in range(4)]
            assert replies[0] == replies[1] != replies[2] == replies[3]
            assert relay.sessions == 2


async def test_a_member_that_refuses_is_replaced_and_no_datagram_is_lost(tmp_path):
    async with member() as a:
        mapping = config(f"127.0.0.1:{free_port()}", a.address)
        async with relaying(tmp_path, mapping) as relay:
            for number in range(4):
                visitor = relay.visitor()
                assert await visitor.ask(b"%d" % number) == b"%d" % number
            assert sum(each.active for each in relay.worker.runtime.pools["app"].members) == 4
            assert relay.member(0).connect_failures == relay.member(0).retries > 0


async def test_datagrams_are_dropped_and_counted_when_every_member_refuses(tmp_path):
    mapping = config(*(f"127.0.0.1:{free_port()}" for _ in range(2)))
    async with relaying(tmp_path, mapping) as relay:
        relay.visitor().send(b"?")
        await eventually(lambda: relay.dropped("no_member") == 1)
        assert relay.sessions == 0
        assert relay.member().active == 0


async def test_a_session_whose_member_goes_away_continues_with_another(tmp_path):
    async with member(named(b"b")) as b, member(named(b"a")) as a:
        mapping = config(a.address, b.address, pool={"balance": "first"})
        async with relaying(tmp_path, mapping) as relay:
            visitor = relay.visitor()
            assert await visitor.ask(b"1") == b"a1"
            a.close()
            visitor.send(b"lost")
            await relay.ended()
            assert await visitor.ask(b"2") == b"b2"
            assert await visitor.ask(b"3") == b"b3"
            assert relay.sessions == 1


@pytest.mark.parametrize("way", ["health", "admin"])
async def test_sessions_leave_a_member_that_is_down(tmp_path, way):
    async with member(named(b"a")) as a, member(named(b"b")) as b:
        mapping = config(a.address, b.address, pool={"balance": "first"})
        async with relaying(tmp_path, mapping) as relay:
            visitor = relay.visitor()
            assert await visitor.ask(b"1") == b"a1"
            if way == "health":
                relay.report_health(a.address, False)
            else:
                relay.set_admin(a.address, "disabled")
            assert await visitor.ask(b"2") == b"b2"
            assert relay.sessions == 1
            assert relay.member(0).active == 0


async def test_sessions_stay_with_a_member_that_drains(tmp_path):
    async with member(named(b"a")) as a, member(named(b"b")) as b:
        mapping = config(a.address, b.address, pool={"balance": "first"})
        async with relaying(tmp_path, mapping) as relay:
            visitor = relay.visitor()
            assert await visitor.ask(b"1") == b"a1"
            relay.set_admin(a.address, "draining")
            assert await visitor.ask(b"2") == b"a2"
            assert await relay.visitor().ask(b"1") == b"b1"


async def test_sessions_stay_when_no_other_member_is_up(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        visitor = relay.visitor()
        assert await visitor.ask(b"1") == b"1"
        relay.report_health(a.address, False)
        assert await visitor.ask(b"2") == b"2"


async def test_a_reload_keeps_sessions(tmp_path):
    async with (
        member(named(b"a")) as a,
        member(named(b"b")) as b,
        relaying(tmp_path, config(a.address)) as relay,
    ):
        visitor = relay.visitor()
        assert await visitor.ask(b"1") == b"a1"
        await relay.change(lambda mapping: mapping["pools"]["app"]["members"].insert(0, b.address))
        assert await visitor.ask(b"2") == b"a2"
        assert len(set(a.senders)) == 1
        assert relay.sessions == 1


async def test_sessions_of_a_removed_member_move_with_the_next_datagram(tmp_path):
    async with (
        member(named(b"a")) as a,
        member(named(b"b")) as b,
        relaying(tmp_path, config(a.address)) as relay,
    ):
        visitor = relay.visitor()
        assert await visitor.ask(b"1") == b"a1"
        await relay.change(lambda mapping: mapping["pools"]["app"].update(members=[b.address]))
        assert await visitor.ask(b"2") == b"b2"


async def test_replies_arrive_after_a_reload_closed_the_listening_socket(tmp_path):
    async with member(lambda data: []) as a, relaying(tmp_path, config(a.address)) as relay:
        visitor = relay.visitor()
        visitor.send(b"?")
        await eventually(lambda: a.received)
        await relay.change(lambda mapping: None, sockets=[])
        a.send(b"late")
        assert await visitor.receive() == (b"late", relay.address)


async def test_only_the_member_of_a_session_reaches_its_client(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        visitor = relay.visitor()
        await visitor.ask(b"?")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"spoofed", a.senders[0])
        assert await visitor.ask(b"2") == b"2"


async def test_the_limit_of_sessions_drops_new_clients_only(tmp_path):
    mapping = lambda address: config(address, listener={"limits": {"connections": 1}})  # noqa: E731
    async with member() as a, relaying(tmp_path, mapping(a.address)) as relay:
        visitor = relay.visitor()
        await visitor.ask(b"1")
        relay.visitor().send(b"?")
        await eventually(lambda: relay.dropped("limit_connections") == 1)
        assert await visitor.ask(b"2") == b"2"


async def test_the_limit_of_a_source_leaves_other_sources_alone(tmp_path):
    async with member() as a:
        mapping = config(a.address, listener={"limits": {"connections_per_source": 1}})
        async with relaying(tmp_path, mapping) as relay:
            await relay.visitor().ask(b"1")
            relay.visitor().send(b"?")
            await eventually(lambda: relay.dropped("limit_source") == 1)
            assert await relay.visitor(own="127.0.0.2").ask(b"2") == b"2"


async def test_a_reload_with_a_limit_of_sources_counts_the_sessions_that_are_open(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        await relay.visitor().ask(b"1")
        await relay.change(
            lambda mapping: mapping["listeners"][0].update(limits={"connections_per_source": 1})
        )
        relay.visitor().send(b"?")
        await eventually(lambda: relay.dropped("limit_source") == 1)
        assert await relay.visitor(own="127.0.0.2").ask(b"2") == b"2"


async def test_the_rate_of_a_source_leaves_other_sources_alone(tmp_path):
    async with member() as a:
        mapping = config(a.address, udp={"datagrams_per_source": 10})
        async with relaying(tmp_path, mapping) as relay:
            visitor = relay.visitor()
            for number in range(200):
                visitor.send(b"%d" % number)
            await eventually(lambda: relay.dropped("limit_rate") >= 100 and len(a.received) >= 10)
            assert a.received[:10] == [b"%d" % number for number in range(10)]
            assert await relay.visitor(own="127.0.0.2").ask(b"2") == b"2"


async def test_the_rate_of_a_source_counts_what_other_workers_admitted(tmp_path):
    buckets = Buckets()
    another = DatagramRate(10, "game", buckets)
    another.admit("127.0.0.1", monotonic() + 60)  # whatever this test takes, the bucket is empty
    async with member() as a:
        mapping = config(a.address, udp={"datagrams_per_source": 10})
        async with relaying(tmp_path, mapping, buckets=buckets) as relay:
            relay.visitor().send(b"1")
            await eventually(lambda: relay.dropped("limit_rate") == 1)
            assert await relay.visitor(own="127.0.0.2").ask(b"2") == b"2"
            assert a.received == [b"2"]


async def test_source_addresses_are_used_in_turn(tmp_path):
    sources = ["127.0.0.3", "127.0.0.4"]
    async with (
        member() as a,
        relaying(tmp_path, config(a.address, udp={"source_addresses": sources})) as relay,
    ):
        for _ in range(4):
            await relay.visitor().ask(b"?")
        assert sorted(host for host, _ in a.senders) == sorted(sources * 2)


async def test_least_connections_counts_sessions(tmp_path):
    async with member(named(b"a")) as a, member(named(b"b")) as b:
        mapping = config(a.address, b.address, pool={"balance": "least_connections"})
        async with relaying(tmp_path, mapping) as relay:
            replies = [(await relay.visitor().ask(b"?"))[:1] for _ in range(6)]
            assert sorted(replies) == [b"a"] * 3 + [b"b"] * 3


async def test_a_consistent_hash_by_source_keeps_a_client_with_its_member(tmp_path):
    async with member(named(b"a")) as a, member(named(b"b")) as b:
        mapping = config(a.address, b.address, pool={"balance": {"consistent_hash": {"key": "source"}}})
        async with relaying(tmp_path, mapping) as relay:
            assert len({(await relay.visitor().ask(b"?"))[:1] for _ in range(6)}) == 1


async def test_a_pinned_client_returns_to_its_member_in_another_session(tmp_path):
    async with member(named(b"a")) as a, member(named(b"b")) as b:
        pool = {"persistence": {"source": {"timeout": "1m"}}}
        mapping = config(a.address, b.address, pool=pool, state={"backend": "memory"})
        async with relaying(tmp_path, mapping) as relay:
            own = [f"127.0.0.{number}" for number in (2, 3, 4)]
            first = [(await relay.visitor(own=each).ask(b"?"))[:1] for each in own]
            assert len(set(first)) == 2
            assert [(await relay.visitor(own=each).ask(b"?"))[:1] for each in own] == first


async def test_the_firewall_decides_on_new_sessions(tmp_path):
    rule = {"name": "no", "action": "drop", "source": ["127.0.0.9"]}
    async with member() as a:
        mapping = config(a.address, firewall={"rules": [rule]})
        async with relaying(tmp_path, mapping) as relay:
            relay.visitor(own="127.0.0.9").send(b"?")
            await eventually(lambda: relay.dropped("firewall") == 1)
            assert await relay.visitor().ask(b"1") == b"1"
            assert a.received == [b"1"]


async def test_members_by_name_are_looked_up(tmp_path):
    async with member() as a, relaying(tmp_path, config(f"localhost:{a.port}")) as relay:
        visitor = relay.visitor()

        def served():
            visitor.send(b"?")
            return a.received

        await eventually(served)


async def test_a_draining_listener_completes_what_is_under_way_and_opens_nothing(tmp_path):
    async with member(lambda data: []) as a, relaying(tmp_path, config(a.address)) as relay:
        visitor = relay.visitor()
        visitor.send(b"?")
        await eventually(lambda: a.received)
        relay.listener.drain()
        a.send(b"late")
        assert (await visitor.receive())[0] == b"late"
        assert relay.sessions == 1


def handshake(to, of):
    return b"\xc3\0\0\0\x01" + bytes([len(to)]) + to + bytes([len(of)]) + of + b"hello"


@pytest.mark.parametrize("way", ["learned", "server_id"])
async def test_a_quic_client_whose_address_changes_stays_with_its_member(tmp_path, way):
    def chosen(name):
        return lambda data: [name + data] if data[0] < 128 else [handshake(b"", b"\0" + name + b"nonce")]

    async with member(chosen(b"aa")) as a, member(chosen(b"bb")) as b:
        quic = {"connection_ids": way}
        if way == "server_id":
            quic["server_ids"] = {b"aa".hex(): a.address, b"bb".hex(): b.address}
        async with relaying(tmp_path, config(a.address, b.address, udp={"quic": quic})) as relay:
            visitor = relay.visitor()
            reply = await visitor.ask(handshake(b"firstid1", b""))
            name = b"aa" if b"aa" in reply else b"bb"
            for _ in range(4):
                assert (await relay.visitor().ask(b"\x43\0" + name + b"nonce" + b"data")).startswith(name)


async def test_sessions_expire_by_whether_the_member_has_replied(tmp_path):
    sessions = {"timeouts": {"udp": "100ms", "udp_stream": "10m"}}
    async with member(lambda data: [data] if data == b"reply" else []) as a:
        mapping = config(a.address, sessions=sessions)
        async with relaying(tmp_path, mapping) as relay:
            await relay.visitor().ask(b"reply")
            relay.visitor().send(b"silence")
            await eventually(lambda: relay.listener.open_connections == 2)
            await eventually(lambda: relay.listener.open_connections == 1)
            assert relay.member().active == 1


async def test_the_oldest_session_without_a_reply_makes_room(tmp_path):
    async with member(lambda data: [data] if data == b"reply" else []) as a:
        mapping = config(a.address, sessions={"size": 3})
        async with relaying(tmp_path, mapping) as relay:
            established = relay.visitor()
            await established.ask(b"reply")
            for _ in range(5):
                relay.visitor().send(b"silence")
            await eventually(lambda: len(a.received) == 6)
            assert relay.sessions == 3
            assert await established.ask(b"reply") == b"reply"
            assert len(set(a.senders)) == 6


async def test_the_share_of_descriptors_bounds_sessions_and_leaves_connections_alone(tmp_path):
    async with member(lambda data: [data] if data == b"reply" else []) as a:
        mapping = config(a.address)
        mapping["listeners"].append(mapping["listeners"][0] | {"name": "web", "protocol": "tcp"})
        async with relaying(tmp_path, mapping) as relay:
            descriptors = relay.listener._relay.descriptors
            descriptors.most = 3
            established = relay.visitor()
            await established.ask(b"reply")
            for _ in range(5):
                relay.visitor().send(b"silence")
            await eventually(lambda: len(a.received) == 6)
            assert relay.sessions == descriptors.used == 3
            accepting = relay.worker.listeners["web"]._accepting.accept_context
            await eventually(lambda: accepting.max_descriptor == last_for_clients(3))
            assert await established.ask(b"reply") == b"reply"
            relay.listener.drop_all("test")
            assert descriptors.used == 0


class WithoutPort(socket.SocketType):
    def connect(self, address):
        raise OSError(98, "Address already in use")


@pytest.mark.parametrize("short", ["descriptors", "ports"])
async def test_the_oldest_session_makes_room_when_sockets_are_short(tmp_path, short):
    async with member(lambda data: [data] if data == b"reply" else []) as a:
        mapping = config(a.address)
        async with relaying(tmp_path, mapping) as relay:
            established = relay.visitor()
            await established.ask(b"reply")
            relay.visitor().send(b"silence")
            await eventually(lambda: relay.sessions == 2)

            def scarce(family, kind):
                if relay.sessions < 2:
                    return socket.SocketType(family, kind)
                if short == "ports":
                    return WithoutPort(family, kind)
                raise OSError(24, "Too many open files")

            relay.listener._relay.sockets.open_socket = scarce
            assert await relay.visitor().ask(b"reply") == b"reply"
            assert relay.sessions == 2
            assert await established.ask(b"reply") == b"reply"


async def test_the_last_process_serves_open_sessions_until_it_ends(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        visitor = relay.visitor()
        await visitor.ask(b"1")
        relay.listener.drain_last()
        assert await visitor.ask(b"2") == b"2"
        relay.visitor().send(b"?")
        await eventually(lambda: relay.dropped("draining") == 1)


@pytest.mark.parametrize("last", [True, False])
async def test_shutdown_does_not_wait_for_sessions_that_are_quiet(tmp_path, last):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        await relay.visitor().ask(b"1")
        listener = relay.listener
        listener.tick(monotonic() + QUIET_SECONDS + GRAIN)
        assert listener.open_connections == 1
        listener.drain_last() if last else listener.drain()
        listener.tick(monotonic())
        assert listener.open_connections == 1
        listener.tick(monotonic() + QUIET_SECONDS + GRAIN)
        assert listener.open_connections == 0


async def test_socket_that_the_kernel_does_not_watch_costs_a_datagram_only(tmp_path):
    async with member() as a, relaying(tmp_path, config(a.address)) as relay:
        with scarce_watches(relay.worker.reactor):
            relay.visitor().send(b"x")
            await eventually(lambda: relay.dropped("no_watch") == 1)
        assert (relay.sessions, relay.member().active, relay.listener._relay.descriptors.used) == (0, 0, 0)
        assert await relay.visitor().ask(b"y") == b"y"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_new_clients_leave_the_loop_to_others(tmp_path, host):
    async with member() as a, relaying(tmp_path, config(a.address), host=host) as relay:
        relay.address = ("127.0.0.1", relay.address[1])
        for _ in range(2 * OPENS):
            relay.visitor().send(b"x")
        [client_socket] = relay.listener._client_sockets.values()
        client_socket.ready(IN)
        assert relay.sessions == OPENS
        await eventually(lambda: relay.sessions == 2 * OPENS)
