"""Two real nodes that share a real redis-server."""

import asyncio
import contextlib
import json
import os
import signal

from tests.cluster.origin import Origin, origins
from tests.kit.ports import free_port
from tests.kit.waiting import eventually
from tests.wire.redis_server import RedisServer
from tests.wire.service import Service, alive, explained, http, until

CONFIG = """
node: @node
workers: 1
state: {backend: redis, url: "@redis", path: @state, timeout: 300ms}
cluster: {name: edge, advertise: "@peer", on_unknown: @unknown, sync: {interval: 100ms}@more}
admin: {bind: "@admin"}
access_log: off
trusted_proxies: [127.0.0.1]
listeners: [{name: web, bind: "@web"}]
routes:
  - {match: {path: /cookie/}, pool: cookie}
  - {match: {path: /source/}, pool: source}
  - {match: {path: /header/}, pool: header}
  - {match: {path: /learned/}, pool: learned}
  - {match: {path: /hedged/}, pool: hedged, retries: {attempts: 1, hedge: {after: 50ms}}}
pools:
  cookie: {members: [@members], persistence: {cookie: {timeout: 1h}}}
  source: {members: [@members], persistence: {source: {timeout: 10m}}}
  header: {members: [@members], persistence: {header: {name: x-user}}}
  learned: {members: [@members], persistence: {learned: {cookie: APPSESSION}}}
  hedged: {members: [@members], persistence: {source: {timeout: 10m}}}
"""

SECRET = ", secret: the secret of these two nodes"
BOTH = (SECRET, SECRET)


class Node:
    """One `adc run` of the cluster."""

    def __init__(self, name, folder, redis, members, unknown, more=""):
        folder.mkdir()
        self.name = name
        self.service = Service(folder)
        members = members[:: 1 if name == "a" else -1]
        text = CONFIG.replace("@node", name).replace("@redis", redis.url).replace("@unknown", unknown)
        text = text.replace("@more", more)
        text = text.replace("@state", str(folder / "state"))
        text = text.replace("@members", ", ".join(member.address for member in members))
        self.peer = free_port()
        self.service.write(text, peer=self.peer)

    @property
    def port(self):
        return self.service.port

    async def degraded(self):
        return (await self.service.status())["state"]["degraded"]

    async def in_step(self):
        return not await self.degraded()

    async def acquainted(self):
        """Whether it has heard of the other node."""
        return await self.metric("adc_cluster_nodes") == 1

    async def alone(self):
        """Whether no other node lives, as far as it knows."""
        return await self.metric("adc_cluster_nodes") == 0

    async def pins(self):
        """The sessions that it knows of, by pool and client, with their members."""
        rows = json.loads((await http(self.service.admin, "/api/v1/sessions"))[1])["rows"]
        return {(row["pool"], row["client"]): row["member"] for row in rows}

    async def pids(self):
        """The supervisor and its workers."""
        workers = (await self.service.status())["workers"]
        return [self.service.process.pid, *(worker["pid"] for worker in workers)]

    async def kill(self):
        """Kill all its processes, and wait until none of them can answer any more."""
        pids = await self.pids()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.service.process.wait()
        await eventually(lambda: not any(alive(pid) for pid in pids))

    async def metric(self, name):
        """The sum of all series of a family."""
        lines = [line for line in await self.service.metrics() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@contextlib.asynccontextmanager
async def two_nodes(folder, unknown="accept", count=3, more=("", ""), origin=Origin, redis_starts=True):
    """Redis, both nodes in step with it if it runs, and the members. `more` is what else each says of the cluster."""
    redis = RedisServer(folder)
    if redis_starts:
        redis.start()
    async with origins(count, origin) as members:
        nodes = [
            Node(name, folder / name, redis, members, unknown, words)
            for name, words in zip(("a", "b"), more, strict=True)
        ]
        try:
            await asyncio.gather(*(node.service.started() for node in nodes))
            async with explained(*(node.service for node in nodes)):
                yield redis, nodes, members
        finally:
            for node in nodes:
                node.service.close()
            with contextlib.suppress(ProcessLookupError):
                redis.resume() if redis._process is not None else None
            redis.kill()


@contextlib.asynccontextmanager
async def acquainted(folder, **options):
    """Two nodes that pass requests to each other."""
    async with two_nodes(folder, "redirect", more=BOTH, **options) as (redis, nodes, members):
        for node in nodes:
            await until(node.acquainted)
        yield redis, nodes, members


def seen(members):
    """The heads that recorders got."""
    return [head for member in members for head in member.heads]


async def passed(node):
    """How many requests it passed to the other node."""
    return await node.metric("adc_cluster_passed_total")


async def ask(port, number, path="/source/", **options):
    """One request of a client by its source."""
    fields = {"X-Forwarded-For": f"192.0.2.{number}", **options.pop("fields", {})}
    return await http(port, path, fields=fields, **options)
