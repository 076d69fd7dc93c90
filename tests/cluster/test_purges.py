"""A purge on one node of a cluster reaches the caches of the other."""

import contextlib
import json

from tests.kit.member import Member, response
from tests.wire.redis_server import RedisServer, needs_redis
from tests.wire.service import Service, http, until

pytestmark = needs_redis

CONFIG = """
node: @name
workers: 2
admin: '@admin'
access_log: off
state: {backend: redis, url: "@redis", path: @state}
cluster: {name: edge, sync: {interval: 50ms}}
listeners: [{name: web, bind: '@web'}]
caches:
  site: {memory: 8MB, disk: {path: cache, size: 100MB}}
  own: {memory: 1MB}
routes:
  - {match: {path: /own/}, pool: app, cache: {store: own, purge: 127.0.0.1}}
  - {pool: app, cache: {store: site, purge: 127.0.0.1}}
pools: {app: {members: ['@member']}}
"""
LONG = "/long/" + "x" * 1500


async def tagged(conversation):
    while True:
        await conversation.request()
        await conversation.send(response(b"x", "Cache-Control: max-age=100", "Cache-Tag: t, u"))


def node(name, folder, redis, member):
    folder.mkdir()
    service = Service(folder)
    text = CONFIG.replace("@name", name).replace("@redis", redis.url)
    service.write(text.replace("@state", str(folder / "state")), member=member.port)
    return service


@contextlib.asynccontextmanager
async def two_nodes(folder):
    redis = RedisServer(folder)
    redis.start()
    async with Member(tagged) as member:
        nodes = [node(name, folder / name, redis, member) for name in ("a", "b")]
        try:
            for each in nodes:
                await each.started()
                await until(lambda each=each: in_step(each))
            yield nodes
        finally:
            for each in nodes:
                each.close()
            redis.kill()


async def in_step(service):
    return not (await service.status())["state"]["degraded"]


async def fetch(service, path, **options):
    return await http(service.port, path, fields={"Host": "a"}, **options)


async def decisions(service, path):
    answers = json.loads((await http(service.admin, f"/api/v1/cache/why?url=http://a{path}"))[1])
    return {answer["decision"] for answer in answers}


async def held(service, path):
    await fetch(service, path)
    return await decisions(service, path) == {"hit"}


async def purge(service, **wanted):
    fields = {"Host": f"127.0.0.1:{service.admin}", "Content-Type": "application/json"}
    body = json.dumps(wanted).encode()
    return await http(
        service.admin,
        "/api/v1/cache/purge",
        method="POST",
        fields=fields | {"Content-Length": len(body)},
        body=body,
    )


PURGES = [
    ("/x", {"url": "http://a/x"}),
    ("/own/x", {"prefix": "http://a/own/"}),
    ("/own/y", {"tag": "u"}),
    ("/y", {"all": True}),
    (LONG, {"url": f"http://a{LONG}"}),
]


async def test_a_purge_by_any_way_reaches_both_nodes(tmp_path):
    async with two_nodes(tmp_path) as (one, two):
        for path, wanted in PURGES:
            for service in (one, two):
                await until(lambda service=service, path=path: held(service, path))
            status, body = await purge(one, **wanted)
            assert status == 200, body
            await until(lambda path=path: gone(two, path))
        for path in ("/x", "/own/x"):
            for service in (one, two):
                await until(lambda service=service, path=path: held(service, path))
            assert (await fetch(two, path, method="PURGE"))[0] == 200
            await until(lambda path=path: gone(one, path))


async def gone(service, path):
    return await decisions(service, path) == {"miss"}


async def test_a_node_that_was_away_catches_up_with_what_it_kept_on_disk(tmp_path):
    async with two_nodes(tmp_path) as (one, two):
        await until(lambda: held(two, "/kept"))
        await until(lambda: held(two, "/other"))
        two.signal(15)
        await two.ended()
        assert (await purge(one, url="http://a/kept"))[0] == 200
        await two.started()
        await until(lambda: gone(two, "/kept"))
        assert await decisions(two, "/other") == {"hit"}
