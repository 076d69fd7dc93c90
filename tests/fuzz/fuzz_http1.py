"""Mutation fuzzing of HTTP/1.1 on both sides of a worker: request streams of clients, responses of a member.

`python -m tests.fuzz.fuzz_http1 [rounds] [seed]` runs as long as you like; `test_fuzz_http1.py` does so for
a moment. In each round some clients send mutated streams at the same time over connections to members that
are shared and kept. Whatever they send: nothing is raised in the worker's loop, every connection comes to
its end, what the member is sent is well-formed, and no client gets a byte of what was said to another.
"""

import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path
from random import Random

import uvloop

from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled

CLIENTS = 4

REQUESTS = (
    b"GET /@?q=@ HTTP/1.1\r\nHost: a\r\nX-Token: @\r\nAccept: */*\r\n\r\n",
    b"GET /@ HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    b"HEAD /@ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /@ HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\n@",
    b"POST /@ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n@\r\n0\r\n\r\n",
    (
        b"PUT /@ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
        b"12;e=1\r\n@\r\n2\r\n\r\n\r\n0\r\nX: @\r\n\r\n"
    ),
    b"POST /@ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 18\r\n\r\n@",
    b"GET /ws/@ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw @",
    b"GET http://b/@ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nX-Token: @\r\n\r\n",
    b"LIST /@ HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\n@",
    b"GETX /@ HTTP/1.4\r\nHost: a\r\nETag: @\r\nETag: @\r\n\r\n",
    (
        b"pr /@ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"12 ;e=1\r\n@\r\n0\r\nX: @\r\nY: @\r\n\r\n"
    ),
)

RESPONSES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\nX-Token: @\r\n\r\n@",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n@\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12;x\r\n@\r\n0\r\nX-Trailer: @\r\n\r\n",
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: @\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n@"
    ),
    b"HTTP/1.1 204 No Content\r\nX-Token: @\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 18\r\nETag: @\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n@",
    b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 18\r\n\r\n@",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n@",
)

SPICE = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b"\x00",
        b" ",
        b"\t",
        b":",
        b",",
        b";",
        b"0",
        b"-",
        b"\xff",
        b"%00",
        b"//",
    ),
    *(b"Content-Length: 3\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n"),
    *(
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n",
        b"Server: a\r\nServer: b\r\n",
        b"LIST",
        b"HTTP/1.7",
        b";" + b"e" * 5000,
        b"0\r\n\r\n",
        b"HTTP/1.1",
        b"HTTP/1.0",
    ),
    *(
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"X: " + b"y" * 9000,
    ),
)


def mutated(data, chance, most=3):
    """`data` with up to `most` pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(0, most)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.choice((0, 0, 1, 2, 20)))
        piece = chance.choice(
            (
                b"",
                chance.choice(SPICE),
                chance.choice(SPICE),
                bytes([chance.randrange(256)]),
                data[start:end] * 2,
            )
        )
        data = data[:start] + piece + data[end:]
    return data


class Round:
    """Some clients with a token each, which marks everything that is said to and about them."""

    def __init__(self, chance):
        self._chance = chance
        self.tokens = [b"%018x" % chance.getrandbits(71) for _ in range(CLIENTS)]
        self.received = [b""] * CLIENTS

    def stream(self, token):
        chance = self._chance
        requests = [chance.choice(REQUESTS) for _ in range(chance.randint(1, 4))]
        return mutated(b"".join(requests), chance).replace(b"@", token)

    async def client(self, number, port):
        chance = self._chance
        data = self.stream(self.tokens[number])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError, RuntimeError):
            while data:
                cut = chance.choice((len(data), len(data), chance.randint(1, len(data))))
                writer.write(data[:cut])
                data = data[cut:]
                await settled(1)
            if chance.random() < 0.1:
                writer.transport.abort()
            while got := await reader.read(1 << 16):
                self.received[number] += got
        writer.transport.abort()

    def check(self):
        for number, received in enumerate(self.received):
            for other, token in enumerate(self.tokens):
                assert number == other or token not in received, (token, received)


async def answer(conversation):
    """A member that gives well-formed and mutated responses, marked with the token of the request."""
    chance = conversation.member.chance
    while True:
        request = await conversation.request()
        words = request.raw.split(b"@" if b"@" in request.target.encode() else b"/")
        token = next(
            (word[:18] for word in (request.target.encode().lstrip(b"/ws"), *words) if len(word) >= 18), b"?"
        )
        response = chance.choice(RESPONSES[:-1] if b"upgrade" not in request else RESPONSES)
        if request.method == "HEAD":
            response = response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        if chance.random() < 0.4:
            response = mutated(response, chance)
        await conversation.send(response.replace(b"@", token))
        if chance.random() < 0.2:
            conversation.reset() if chance.random() < 0.5 else conversation.close()
            return
        if response.startswith((b"HTTP/1.0", b"HTTP/1.1 101")):
            if response.startswith(b"HTTP/1.1 101"):
                await conversation.send(await conversation.some())
            return


async def fuzz(rounds, seed, folder):
    """Raises AssertionError for what must not happen."""
    chance = Random(seed)
    async with Member(answer) as first, Member(answer) as second:
        first.chance = second.chance = chance
        setting = config(first.address, second.address, pool={"health": {}})
        setting["error_log"] = {"path": "off"}
        async with serving(folder, setting) as proxy:
            for number in range(rounds):
                this = Round(chance)
                clients = [asyncio.create_task(this.client(each, proxy.port)) for each in range(CLIENTS)]
                await asyncio.wait(clients, timeout=0.02)
                for _ in range(500):
                    if not proxy.connections and all(client.done() for client in clients):
                        break
                    proxy.pass_time(5000)
                    await asyncio.sleep(0.002)
                await asyncio.wait_for(asyncio.gather(*clients), 5)
                assert not proxy.connections, f"round {number} of seed {seed}: a connection hangs"
                assert not proxy.listener.service.active, f"round {number} of seed {seed}: an exchange hangs"
                assert not proxy.errors, (number, seed, proxy.errors)
                assert not first.errors + second.errors, (number, seed, first.errors, second.errors)
                this.check()
            await eventually(lambda: not any(proxy.member(each).active for each in (0, 1)))


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(fuzz(rounds, seed, Path(folder)))
    print(f"{rounds} rounds of seed {seed}: nothing found")


if __name__ == "__main__":
    main()
