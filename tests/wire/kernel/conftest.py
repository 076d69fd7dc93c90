"""A client, this node and two members as namespaces; the kernel of the node forwards by rules that adc made."""

import asyncio
import json
import shutil
import socket
import threading

import pytest

from adc.config import Config
from adc.control.kernel_table import KernelTable
from adc.firewall.nftables.table import removal
from tests.kit import netns

PORT = 5432
FAMILIES = (socket.AF_INET, socket.AF_INET6)


class Members:
    """Servers in both members that send their name on each connection, and echo datagrams with it in front."""

    def __init__(self, net):
        self.net = net
        self._sockets = [
            server
            for role in ("m1", "m2")
            for family, address in zip(FAMILIES, (net.address(role), net.address6(role)), strict=True)
            for server in self._servers(role, family, address)
        ]

    def _servers(self, role, family, address):
        space = self.net[role]
        stream = space.call(socket.create_server, (address, PORT), family=family)
        datagrams = space.socket(family, socket.SOCK_DGRAM)
        datagrams.bind((address, PORT))
        threading.Thread(target=self._accept, args=(stream, role.encode()), daemon=True).start()
        threading.Thread(target=self._answer, args=(datagrams, role.encode()), daemon=True).start()
        return stream, datagrams

    def _accept(self, server, name):
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(client, name), daemon=True).start()

    def _echo(self, client, name):
        with client:
            try:
                while data := client.recv(65536):
                    client.sendall(name + b":" + data)
            except OSError:
                pass

    def _answer(self, server, name):
        while True:
            try:
                data, client = server.recvfrom(65536)
                server.sendto(name + b":" + data, client)
            except OSError:
                return

    def close(self):
        for server in self._sockets:
            if server.type == socket.SOCK_STREAM:
                server.shutdown(socket.SHUT_RDWR)
            server.close()


class Node:
    """The kernel rules of the node, without workers: `serve` applies a configuration."""

    def __init__(self, net):
        self.net = net
        self.v6 = False
        self.states = {}
        self.table = KernelTable(lambda pool, member: self.states.get(member, (True, True)))
        self._loop = asyncio.new_event_loop()
        self._thread = net.adc.call(self._start)

    def _start(self):
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        return thread

    def run(self, coroutine):
        """Run a coroutine in the node's loop, inside of its namespace."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def close(self):
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def host(self, role="adc"):
        """The address of a role in the family of the test."""
        return self.net.address6(role) if self.v6 else self.net.address(role)

    def address(self, role):
        return f"[{self.host(role)}]:{PORT}" if self.v6 else f"{self.host(role)}:{PORT}"

    def config(self, listener=None, pool=None, **top):
        """A listener of the kernel on the node's address for both members; arguments add to it."""
        members = [
            {"address": self.address("m1"), "name": "m1"},
            {"address": self.address("m2"), "name": "m2"},
        ]
        written = {
            "node": "n1",
            "listeners": [
                {
                    "name": "db",
                    "bind": self.address("adc"),
                    "protocol": "tcp",
                    "pool": "p",
                    "datapath": "kernel",
                    **(listener or {}),
                }
            ],
            "pools": {"p": {"members": members, **(pool or {})}},
            **top,
        }
        return Config.model_validate(written)

    def serve(self, config=None, **changes):
        self.run(self.table.apply(config or self.config(**changes)))

    def follow(self):
        self.run(self.table.follow())

    def watch(self):
        async def watch():
            self.table.watch()

        self.run(watch())

    def change_members(self):
        async def change():
            self.table.members_changed()

        self.run(change())

    def counters(self):
        """Packets by name of counter."""
        listing = json.loads(self.net.adc.run(("nft", "-j", "list", "counters", "table", "inet", "adc_n1")))
        found = [entry["counter"] for entry in listing["nftables"] if "counter" in entry]
        return {counter["name"]: counter["packets"] for counter in found}

    def stand(self, **states):
        """Set members up (True), down (False) or drained (None), and bring the maps up to date."""
        for name, state in states.items():
            self.states[name] = (state is not False, state is not None)
        self.run(self.table.update())

    def stop(self):
        self.run(self.table.close(handed_over=False))


@pytest.fixture(scope="session")
def net():
    for tool in ("nft", "conntrack"):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no program {tool}")
    with netns.one_device() as network:
        members = Members(network)
        yield network
        members.close()


@pytest.fixture
def node(net):
    node = Node(net)
    yield node
    node.close()
    net.adc.run(("nft", "-f", "-"), removal("adc_n1"))
    net.adc.run(("conntrack", "-F"))


@pytest.fixture(params=[False, True], ids=["v4", "v6"])
def either(request, node):
    """A node whose tests run with IPv4, and again with IPv6."""
    node.v6 = request.param
    return node
