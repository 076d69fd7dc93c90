"""A client with a session of its own, and its member: the time that a datagram and its reply take.

`python -m tests.soak.udp_sessions.probe` prints the member's port. It reads lines: the port of the listener first,
then `go` and `stop`, after which it prints what it measured as JSON.
"""

import json
import select
import socket
import sys
import time

from tests.soak.udp_sessions.service import prefer

PAUSE = 0.001
"""Seconds between two datagrams."""

TIMEOUT = 10.0


def main():
    prefer(0)
    member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    member.bind(("127.0.0.1", 0))
    print(member.getsockname()[1], flush=True)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", int(sys.stdin.readline())))
    for sock in (member, client):
        sock.settimeout(TIMEOUT)
    while sys.stdin.readline() == "go\n":
        print(json.dumps(measured(client, member)), flush=True)
        sys.stdin.readline()


def measured(client, member):
    """Return milliseconds: the median, the 99.9th percentile, and the longest, until there is a line to read."""
    found = []
    while not select.select((sys.stdin,), (), (), PAUSE)[0]:
        sent = time.monotonic()
        client.send(b"ping")
        data, sender = member.recvfrom(100)
        member.sendto(data, sender)
        client.recv(100)
        found.append((time.monotonic() - sent) * 1e3)
    found.sort()
    count = len(found)
    return {
        "count": count,
        "median": found[count // 2],
        "p999": found[count * 999 // 1000],
        "longest": found[-1],
    }


if __name__ == "__main__":
    main()
