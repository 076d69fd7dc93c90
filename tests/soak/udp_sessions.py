"""100,000 UDP sessions at once: memory each, and how long others wait while all are listed and all expire.

`python -m tests.soak.udp_sessions [SESSIONS]`. It uses addresses of 127.0.0.0/8 only. Each client socket is closed at
once, so that the script needs few descriptors. A worker needs one for each session: there are as many workers as the
hard limit of descriptors demands.
"""

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from tests.kit.ports import free_port

PER_SOURCE = 25_000
IDLE = 20
CONFIG = """
workers: {workers}
admin: {{bind: "127.0.0.1:{admin}"}}
access_log: off
error_log: {{path: {folder}/error.log}}
sessions: {{size: 1000000, timeouts: {{udp: {idle}s, udp_stream: {idle}s}}}}
listeners:
  - name: many
    bind: 127.0.0.1:{port}
    protocol: udp
    pool: members
    limits: {{connections: 1000000}}
    udp: {{source_addresses: [{sources}]}}
pools: {{members: {{members: ["127.0.0.1:{member}"], health: {{passive: false}}}}}}
"""


def main(sessions):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    workers = 1 + int(sessions / (hard * 0.8))
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as member:
        folder = Path(name)
        member.bind(("127.0.0.1", 0))
        member.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        threading.Thread(target=echo, args=(member,), daemon=True).start()
        admin, port = free_port(), free_port()
        sources = ", ".join(f"127.0.2.{number}" for number in range(1, 2 + sessions // PER_SOURCE))
        text = CONFIG.format(
            workers=workers,
            admin=admin,
            port=port,
            folder=folder,
            sources=sources,
            member=member.getsockname()[1],
            idle=IDLE,
        )
        (folder / "adc.yaml").write_text(text)
        process = subprocess.Popen([sys.executable, "-m", "adc", "run", str(folder / "adc.yaml")])
        try:
            measure(admin, port, sessions)
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()


def echo(sock):
    while True:
        data, sender = sock.recvfrom(2048)
        sock.sendto(data, sender)


def measure(admin, port, sessions):
    wait_for(admin)
    workers = [each["pid"] for each in json.loads(asked(admin, "/api/v1/status"))["workers"]]
    pings = Pings(port)
    quiet = pings.worst(2.0)
    before = resident(workers)
    began = time.monotonic()
    open_sessions(port, sessions)
    print(f"seconds to open:    {time.monotonic() - began:>9.1f}")
    deadline = time.monotonic() + 10
    while (found := open_files(workers)) < sessions and time.monotonic() < deadline:
        time.sleep(0.05)
    after = resident(workers)
    print(f"sessions opened:    {sessions:>9}")
    print(f"descriptors:        {found:>9} of {len(workers)} workers")
    print(
        f"memory per session: {(after - before) / sessions:>9.0f} bytes ({before >> 20} -> {after >> 20} MB)"
    )
    print(f"worst reply, quiet: {quiet * 1e3:>9.1f} ms")
    listing = pings.worst(3.0, lambda: asked(admin, "/api/v1/sessions"))
    print(f"worst reply, while sessions are listed:  {listing * 1e3:.1f} ms")
    print(f"worst reply, while all sessions expire:  {pings.worst(IDLE + 4.0) * 1e3:.1f} ms")
    print(f"descriptors after expiry: {open_files(workers)}")


def open_sessions(port, sessions):
    """Send a datagram from as many client addresses."""
    for number in range(sessions):
        host, own = divmod(number, PER_SOURCE)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.bind((f"127.0.1.{host + 1}", 10_000 + own))
            client.sendto(b"hello", ("127.0.0.1", port))
        if number % 64 == 63:
            time.sleep(0.002)  # so that the receive buffer is no limit


class Pings:
    """A client with a session, which sends a datagram when the last reply has come."""

    def __init__(self, port):
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.connect(("127.0.0.1", port))
        self._sock.settimeout(5)

    def worst(self, seconds, meanwhile=None):
        """Return the longest time to a reply, in seconds."""
        if meanwhile is not None:
            threading.Thread(target=meanwhile, daemon=True).start()
        longest = 0.0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sent = time.monotonic()
            self._sock.send(b"ping")
            self._sock.recv(100)
            longest = max(longest, time.monotonic() - sent)
            time.sleep(0.0005)
        return longest


def wait_for(admin):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", admin), 1):
            return
        time.sleep(0.05)
    raise SystemExit("adc did not start")


def asked(admin, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}{path}", timeout=30) as response:
        return response.read().decode()


def open_files(pids):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


def resident(pids):
    """Return the memory of processes in bytes."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return sum(pages) * resource.getpagesize()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
