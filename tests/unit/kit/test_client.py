"""A client that goes on with another connection when the server ends one."""

import asyncio

from tests.kit.client import Client, get


async def test_a_client_goes_on_with_a_new_connection_after_the_last_response_of_one():
    connections = 0

    async def serve(reader, writer):
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = await Client.connect(server.sockets[0].getsockname()[1])
    assert [(await client.ask_on(get())).status for _ in range(3)] == [204] * 3
    client.close()
    server.close()
    assert connections >= 3
