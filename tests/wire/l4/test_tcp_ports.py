"""Ranges of ports, members at the port that the client used, and unix sockets that are listened on."""

from tests.kit.authority import Authority, tls_client
from tests.kit.proxy import serving
from tests.kit.waiting import within
from tests.wire.l4.test_tcp import connected, echo, mapping, member

MEMBER_HOST = "127.0.0.2"
BEHIND_PROXY = {"tcp": {"member_port": "listener"}, "proxy_protocol": {"from": ["127.0.0.0/8"]}}


def member_at(port):
    """An echo at `port` of another address than the listener's."""
    return member(echo, host=MEMBER_HOST, port=port)


async def test_member_is_connected_to_at_the_port_of_the_listener(tmp_path):
    listener = {"tcp": {"member_port": "listener"}}
    async with serving(tmp_path, mapping(f"{MEMBER_HOST}:9", listener=listener)) as proxy:
        async with member_at(proxy.port), connected(proxy) as (reader, writer):
            writer.write(b"hello")
            assert await within(reader.readexactly(5)) == b"hello"


async def test_port_of_a_proxy_protocol_header_chooses_no_member_port(tmp_path, unused_tcp_port):
    async with serving(tmp_path, mapping(f"{MEMBER_HOST}:9", listener=BEHIND_PROXY)) as proxy:
        async with member_at(proxy.port), connected(proxy) as (reader, writer):
            writer.write(f"PROXY TCP4 192.0.2.7 198.51.100.1 4711 {unused_tcp_port}\r\nhello".encode())
            assert await within(reader.readexactly(5)) == b"hello"
            (flow,) = proxy.connections
            assert flow.own == ("198.51.100.1", unused_tcp_port)


async def test_port_of_a_header_before_tls_chooses_no_member_port(tmp_path, unused_tcp_port):
    authority = Authority(tmp_path / "ca")
    listener = {**BEHIND_PROXY, "tls": {"certificates": [authority.issue("a.test")]}}
    header = f"PROXY TCP4 192.0.2.7 198.51.100.1 4711 {unused_tcp_port}\r\n".encode()
    async with serving(tmp_path, mapping(f"{MEMBER_HOST}:9", listener=listener)) as proxy:
        async with member_at(proxy.port):
            client = await tls_client(proxy.port, authority.context(), before=header)
            await client.send(b"hello")
            assert await client.exactly(5) == b"hello"
            client.close()
