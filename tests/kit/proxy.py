"""A worker in this process."""

import asyncio
import contextlib
import json
import socket

import yaml

from adc.config.loading import load
from adc.runtime.operations import health, members
from adc.runtime.worker import Worker
from tests.kit.client import Client
from tests.kit.states import check_transitions
from tests.kit.waiting import PATIENCE

check_transitions()


def config(*members, listener=None, route=None, pool=None, **top):
    """One listener `web`, one route and one pool `app` of `members`; the mappings add to each."""
    return {
        "listeners": [{"name": "web", "bind": "127.0.0.1:0", **(listener or {})}],
        "routes": [{"name": "all", "pool": "app", **(route or {})}],
        "pools": {"app": {"members": list(members), **(pool or {})}},
        **top,
    }


class Proxy:
    """A serving worker. `errors` are the contexts that the loop's exception handler was given."""

    def __init__(self, worker, sock, folder, errors):
        self.worker = worker
        self.port = 0 if sock.family == socket.AF_UNIX else sock.getsockname()[1]
        self.sock = sock
        self._folder = folder
        self.errors = errors

    @contextlib.asynccontextmanager
    async def client(self, **options):
        client = await Client.connect(self.port, **options)
        try:
            yield client
        finally:
            client.close()

    @property
    def listener(self):
        return self.worker.listeners["web"]

    @property
    def connections(self):
        """The open client connections."""
        return self.listener.state.connections

    @property
    def links(self):
        return [member.link for pool in self.worker.runtime.pools.values() for member in pool.members]

    def member(self, number=0, pool="app"):
        return self.worker.runtime.pools[pool].members[number]

    def report_health(self, member, up, reason="", pool="app"):
        """Tell the worker what a health check of the member at an address found."""
        self.worker.call(health.REPORT, health.Report(pool, member, up, reason))

    def set_admin(self, member, admin, pool="app"):
        """Put the member at an address in an admin state."""
        self.worker.call(members.APPLY, members.AdminState(pool, member, admin))

    async def prepare(self):
        """The first half of a reload: build what the configuration file says now."""
        sockets = {name: [self.sock] for name in self.worker.listeners}
        await self.worker.prepare(load(self._folder / "adc.yaml").config, sockets)

    async def change(self, edit):
        """Reload with what `edit` makes of the configuration file's mapping."""
        file = self._folder / "adc.yaml"
        mapping = yaml.safe_load(file.read_text())
        edit(mapping)
        file.write_text(yaml.safe_dump(mapping))
        await self.prepare()
        self.worker.commit()

    def pass_time(self, seconds):
        """Tell everything whose time limit is within `seconds` that it has run out."""
        self.listener.tick(self.worker.clock.now + seconds)

    def advance_clock(self, seconds):
        """Advance the worker's clock, which stands still from then on: its next tick would set it back."""
        self.worker._tick.cancel()
        self.worker.clock.now += seconds

    def access_log(self):
        """Access log records, one mapping each."""
        self.worker.logs.access_log.flush()
        return [json.loads(line) for line in (self._folder / "access.log").read_text().splitlines()]

    def error_log(self):
        """The text of the error log."""
        return (self._folder / "error.log").read_text()


@contextlib.asynccontextmanager
async def serving(folder, mapping, *, listener="web", dual_stack=False, path="", sock=None):
    """Serve `mapping` on a port of 127.0.0.1, or of all addresses of both families, on the unix socket `path`, or on
    `sock`; the logs are in `folder`."""
    folder.mkdir(exist_ok=True)
    logs = {
        "access_log": {"path": str(folder / "access.log"), "format": "json"},
        "error_log": {"path": str(folder / "error.log")},
    }
    file = folder / "adc.yaml"
    file.write_text(yaml.dump({**logs, **mapping}, Dumper=yaml.CSafeDumper))
    errors = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: errors.append(context))
    if sock is not None:
        pass
    elif path:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        sock.listen(128)
    elif dual_stack:
        sock = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    else:
        sock = socket.create_server(("127.0.0.1", 0), backlog=128)
    worker = Worker(load(file).config, {listener: [sock]}, 0)
    await worker.start()
    proxy = Proxy(worker, sock, folder, errors)
    try:
        yield proxy
    finally:
        await asyncio.wait_for(worker.drain(0), PATIENCE)
        for connection in list(proxy.connections):
            connection.abort()
        for link in proxy.links:
            link.retire()
        await asyncio.sleep(0)
        sock.close()
        loop.set_exception_handler(None)
    assert not errors, errors
