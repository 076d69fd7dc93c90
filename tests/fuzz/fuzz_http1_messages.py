"""Mutation fuzzing of the readers of HTTP/1.1 without sockets: heads, content and trailers, of clients and of members.

`python -m tests.fuzz.fuzz_http1_messages [iterations] [seed]` runs as long as you like; `test_fuzz_http1_messages.py`
does so for a moment. Each stream is read whole and in random parts: nothing is raised, both ways give the same
messages, and the trailers that come out may be passed on and cannot split a message.
"""

import sys
from random import Random

from adc.codecs.http1.heads import last_chunk
from adc.http.trailers import may_trail
from tests.fuzz.fuzz_http1 import REQUESTS, RESPONSES, mutated
from tests.kit.http1 import ClientSide, MemberSide

CHUNKED_REQUEST = b"POST /@ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED_RESPONSE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CONTENT = (
    b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    b"0\r\nX-Sum: 1\r\nY: \r\nx-sum:\t2 \r\n\r\n",
    b"1;e=1\r\na\r\n00\r\nServer-Timing: db;dur=1\r\n\r\n",
    b"2\r\n\r\n\r\n0\r\nX-Sum: 1\r\nHost: b\r\n\r\n",
    b"1\r\na\r\n0\r\nX: 1\r\n folded\r\nY: 2\r\n\r\n",
)
CLIENTS = (*REQUESTS, *(CHUNKED_REQUEST + content for content in CONTENT))
MEMBERS = (*RESPONSES[:-1], *(CHUNKED_RESPONSE + content for content in CONTENT))


def parts_of(data, chance):
    """`data` in parts of random size."""
    while data:
        cut = chance.choice((1, 2, 5, chance.randint(1, len(data))))
        yield data[:cut]
        data = data[cut:]


def requests(parts):
    """The complete requests that a connection reads of `parts`."""
    side = ClientSide()
    for part in parts:
        side.receive(part)
    complete = [each for each in side.requests if each.complete and each.refused is None]
    for each in complete:
        assert all(may_trail(name) for name, _ in each.trailers), each.trailers
        last_chunk(each.trailers)
    return [(each.request.method, each.target, each.body, each.trailers) for each in complete]


def response(parts):
    """The response that a connection reads of `parts`, None if it is not whole."""
    side = MemberSide()
    for part in parts:
        side.receive(part)
    side.end()
    seen = side.receiver
    assert seen.complete or seen.failure is not None
    last_chunk(seen.trailers)
    return (seen.head.status, seen.head.headers, seen.body, seen.trailers) if seen.complete else None


def check_client(data, chance):
    """Return the number of requests in `data`."""
    whole = requests([data])
    assert whole == requests(parts_of(data, chance)), data
    return len(whole)


def check_member(data, chance):
    """Return whether `data` is a whole response."""
    whole, cut = response([data]), response(parts_of(data, chance))
    if whole is not None and cut is not None:
        assert whole[:3] == cut[:3], data
    return whole is not None


def fuzz(iterations, seed):
    """Run; returns how many requests and responses were found."""
    chance = Random(seed)
    found = [0, 0]
    for _ in range(iterations):
        stream = b"".join(chance.choice(CLIENTS) for _ in range(chance.randint(1, 3)))
        found[0] += check_client(mutated(stream, chance).replace(b"@", b"token"), chance)
        found[1] += check_member(mutated(chance.choice(MEMBERS), chance).replace(b"@", b"x" * 18), chance)
    return tuple(found)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] + [100_000, 0][len(sys.argv) - 1 :]
    print("{} requests and {} responses were read".format(*fuzz(*numbers[:2])))
