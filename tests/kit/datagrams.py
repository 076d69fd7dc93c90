"""A UDP listener in this process, clients with plain sockets, and members that reply."""

import asyncio
import contextlib
import socket
import time

import yaml

from adc.config.loading import load
from adc.control.addresses import Address
from adc.control.sockets import bind
from adc.runtime.operations import health, members
from adc.runtime.worker import Worker
from tests.kit.waiting import PATIENCE, eventually


def config(*members, listener=None, udp=None, pool=None, **top):
    """Return a configuration with one listener `game` and one pool `app` of `members`; the mappings add to each."""
    options = {"udp": udp} if udp is not None else {}
    return {
        "listeners": [
            {
                "name": "game",
                "bind": "127.0.0.1:0",
                "protocol": "udp",
                "pool": "app",
                **options,
                **(listener or {}),
            }
        ],
        "pools": {"app": {"members": list(members), **(pool or {})}},
        **top,
    }


class Member:
    """A member that replies to each datagram with what `answer(data)` returns: a list of datagrams."""

    def __init__(self, sock, answer):
        self.sock = sock
        self.answer = answer
        self.received = []
        self.senders = []
        host, self.port = sock.getsockname()[:2]
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        asyncio.get_running_loop().add_reader(sock, self._readable)

    def _readable(self):
        data, sender = self.sock.recvfrom(65_536)
        self.received.append(data)
        self.senders.append(sender)
        for reply in self.answer(data):
            self.sock.sendto(reply, sender)

    def send(self, data):
        """Send `data` to the client whose datagram came first."""
        self.sock.sendto(data, self.senders[0])

    def close(self):
        """Serve no more: the kernel refuses datagrams."""
        if self.sock.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.sock)
            self.sock.close()


@contextlib.asynccontextmanager
async def member(answer=lambda data: [data], host="127.0.0.1", port=0):
    """Serve a member; by default it echoes."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((host, port))
    serving = Member(sock, answer)
    try:
        yield serving
    finally:
        serving.close()


class Visitor:
    """A client with one socket: `sock`, or a new one that is bound to `own`. Close it after a failure too: the warning
    about an open socket fails a later test."""

    def __init__(self, address, own="127.0.0.1", family=socket.AF_INET, sock=None):
        self.sock = sock or socket.socket(family, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        if sock is None:
            self.sock.bind((own, 0))
        self.address = address

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendto(data, self.address)

    async def receive(self):
        """Return the next datagram and its sender."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.sock.recvfrom(65_536)
            except BlockingIOError:
                assert time.monotonic() < end, "no datagram came in time"
                await asyncio.sleep(0.001)

    async def ask(self, data):
        """Send `data` and return the next datagram."""
        self.send(data)
        return (await self.receive())[0]

    def nothing(self):
        """True if no datagram has arrived."""
        try:
            self.sock.recvfrom(65_536)
        except BlockingIOError:
            return True
        return False


class Relay:
    """A serving worker with one UDP listener."""

    def __init__(self, worker, sock, folder, others):
        self.worker = worker
        self.others = others
        self.sock = sock
        self.address = sock.getsockname()
        self._folder = folder
        self._visitors = []

    def visitor(self, **options):
        """Return a new client, which is closed with the relay."""
        self._visitors.append(Visitor(self.address, **options))
        return self._visitors[-1]

    def close_visitors(self):
        for each in self._visitors:
            each.close()

    @property
    def listener(self):
        return self.worker.listeners["game"]

    @property
    def sessions(self):
        """The number of open sessions."""
        return self.listener.open_connections

    def count(self, name, *labels):
        """Return the value of a metric."""
        found = [each.value for each in self.worker.samples() if (each.name, each.labels) == (name, labels)]
        return sum(found)

    def dropped(self, reason):
        return self.count("adc_datagrams_dropped_total", "game", reason)

    def member(self, number=0):
        return self.worker.runtime.pools["app"].members[number]

    def report_health(self, address, up):
        self.worker.call(health.REPORT, health.Report("app", address, up, ""))

    def set_admin(self, address, admin):
        self.worker.call(members.APPLY, members.AdminState("app", address, admin))

    async def change(self, edit, *, sockets=None):
        """Reload with what `edit` makes of the configuration file's mapping."""
        file = self._folder / "adc.yaml"
        mapping = yaml.safe_load(file.read_text())
        edit(mapping)
        file.write_text(yaml.safe_dump(mapping))
        await self.worker.prepare(load(file).config, {"game": [self.sock] if sockets is None else sockets})
        self.worker.commit()

    async def ended(self):
        """Return when no session is open."""
        await eventually(lambda: self.sessions == 0)

    def account(self):
        """What its metrics of datagrams and its log say: for the note of a failed test."""
        found = [each for each in self.worker.samples() if "datagrams" in each.name and each.value]
        return "\n".join([f"== {self._folder.name}", *map(str, found), self.error_log()])

    def error_log(self):
        return (self._folder / "error.log").read_text()


@contextlib.asynccontextmanager
async def relaying(folder, mapping, *, host="127.0.0.1", channel=None, buckets=None):
    """Serve `mapping` on a UDP port of `host`; the logs are in `folder`. `channel` are ports of other listeners,
    `buckets` the rates that it shares with other workers."""
    folder.mkdir(exist_ok=True)
    logs = {
        "access_log": {"path": str(folder / "access.log")},
        "error_log": {"path": str(folder / "error.log")},
    }
    file = folder / "adc.yaml"
    file.write_text(yaml.dump({**logs, **mapping}, Dumper=yaml.CSafeDumper))
    errors = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: errors.append(context))
    sock = bind(Address("udp", host, 0))
    others = {name: [bind(Address("udp", host, port))] for name, port in (channel or {}).items()}
    worker = Worker(load(file).config, {"game": [sock], **others}, 0, buckets=buckets)
    await worker.start()
    relay = Relay(worker, sock, folder, others)
    try:
        yield relay
    except AssertionError as error:
        error.add_note(relay.account())
        raise
    finally:
        relay.close_visitors()
        await asyncio.wait_for(worker.drain(0), PATIENCE)
        for each in (sock, *(each for group in others.values() for each in group)):
            each.close()
        loop.set_exception_handler(None)
    assert not errors, errors
