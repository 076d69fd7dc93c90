"""The cache of a real `adc run` with two workers: one fetch for both, purges that reach both, sudden death."""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path

from tests.kit.client import Client, get
from tests.kit.member import Member, response
from tests.wire.service import http, until

CONFIG = """
workers: 2
admin: '@admin'
access_log: off
listeners: [{name: web, bind: '@web'}]
caches:
  site: {memory: 8MB, disk: {path: cache, size: 100MB}, max_object: 32MB}
  own: {memory: 1MB}
routes:
  - {match: {path: /own/}, pool: app, cache: {store: own, purge: 127.0.0.1}}
  - {pool: app, cache: {store: site, purge: 127.0.0.1}}
pools: {app: {members: ['@member']}}
"""


@contextlib.asynccontextmanager
async def running(service, script):
    async with Member(script) as member:
        service.write(CONFIG, member=member.port)
        await service.started()
        yield member


def tagged(delay=0.0, body=b"x"):
    async def script(conversation):
        while True:
            await conversation.request()
            await asyncio.sleep(delay)
            await conversation.send(response(body, "Cache-Control: max-age=100", "Cache-Tag: t, u"))

    return script


async def fetch(service, path="/", **options):
    return await http(service.port, path, fields={"Host": "a"}, **options)


async def in_both_workers(service, path="/"):
    """Ask until both workers have it in memory."""

    async def held():
        await fetch(service, path)
        answers = await why(service, path)
        return all(any(entry["tier"] == "memory" for entry in one["entries"]) for one in answers)

    await until(held)


async def why(service, path="/"):
    return json.loads((await http(service.admin, f"/api/v1/cache/why?url=http://a{path}"))[1])


async def test_simultaneous_misses_in_two_workers_are_one_fetch(service):
    async with running(service, tagged(delay=0.1)) as member:
        replies = await asyncio.gather(*(fetch(service) for _ in range(200)))
        assert replies == [(200, b"x")] * 200
        assert len(member.requests) == 1


PURGES = [
    (["http://a/x"], "/x"),
    (["--prefix", "http://a/x/"], "/x/y?z"),
    (["--tag", "u"], "/x"),
    (["--all"], "/x"),
    (["--all"], "/own/x"),
    (["http://a/own/x"], "/own/x"),
    (["--soft", "http://a/x"], "/x"),
]


async def test_a_purge_reaches_both_workers_before_it_returns(service):
    admin = ("--admin", f"127.0.0.1:{service.admin}")
    async with running(service, tagged()) as member:
        for arguments, path in PURGES:
            await in_both_workers(service, path)
            asked = len(member.requests)
            code, output = await service.run("cache", "purge", *arguments, *admin)
            assert (code, "0" in output.split()) == (0, False)
            assert {answer["decision"] for answer in await why(service, path)} <= {"miss", "revalidate"}
            await fetch(service, path)
            assert len(member.requests) == asked + 1


async def test_a_purge_of_one_url_leaves_the_others(service):
    async with running(service, tagged()) as member:
        await in_both_workers(service, "/x")
        await in_both_workers(service, "/y")
        asked = len(member.requests)
        status, body = await fetch(service, "/x", method="PURGE")
        assert (status, body) == (200, b"purged 1\n")
        await fetch(service, "/y")
        assert len(member.requests) == asked
        await fetch(service, "/x")
        assert len(member.requests) == asked + 1


async def test_a_store_without_disk_is_shared_too_until_the_service_stops(service):
    async with running(service, tagged(delay=0.1)) as member:
        assert set(await asyncio.gather(*(fetch(service, "/own/x") for _ in range(50)))) == {(200, b"x")}
        assert len(member.requests) == 1
        assert (await fetch(service, "/own/x", method="POST", body=b"y"))[0] == 200
        asked = len(member.requests)
        for _ in range(8):
            assert await fetch(service, "/own/x") == (200, b"x")
        assert len(member.requests) == asked + 1
        (tier,) = await disk_paths(service, "own")
        service.signal(signal.SIGTERM)
        assert await service.ended() == 0
        assert not (tier / "index").exists()


async def disk_paths(service, store):
    _, output = await service.run("cache", "stats", "--json", "--admin", f"127.0.0.1:{service.admin}")
    return [Path(row["disk_path"]) for row in json.loads(output) if row["store"] == store]


async def test_the_purge_method_reaches_both_workers(service):
    async with running(service, tagged()) as member:
        await in_both_workers(service, "/own/x")
        asked = len(member.requests)
        assert await fetch(service, "/own/x", method="PURGE") == (200, b"purged 1\n")
        assert {answer["decision"] for answer in await why(service, "/own/x")} == {"miss"}
        assert len(member.requests) == asked
        assert await fetch(service, "/own/x", method="PURGE") == (200, b"purged 0\n")


async def test_figures_and_reasons_can_be_asked_for(service):
    admin = ("--admin", f"127.0.0.1:{service.admin}")
    async with running(service, tagged()):
        await fetch(service)
        await fetch(service)
        code, output = await service.run("cache", "stats", "--json", *admin)
        (site,) = [row for row in json.loads(output) if row["store"] == "site"]
        assert code == 0
        assert (site["hits"], site["misses"], site["stored"], site["disk_entries"]) == (1, 1, 1, 1)
        code, output = await service.run("cache", "why", "http://a/", *admin)
        assert "hit (route route-2): fresh for" in output
        assert (await service.run("cache", "why", "nonsense", *admin))[0] == 2
        assert (await service.run("cache", "purge", "/", *admin))[0] == 2
        assert (await service.run("cache", "purge", "--prefix", "/x/", *admin))[0] == 2
        assert (await service.run("cache", "purge", *admin))[0] == 2
        metrics = await service.metrics()
        assert 'adc_cache_hits_total{cache="site"} 1.0' in metrics
        assert 'adc_cache_entries{cache="site",tier="disk"} 1.0' in metrics


async def test_a_worker_killed_within_a_write_leaves_nothing_torn(service, tmp_path):
    whole = os.urandom(4 << 20)
    begun = asyncio.Event()

    async def script(conversation):
        request = await conversation.request()
        reply = response(whole, "Cache-Control: max-age=100")
        if request.target == "/torn" and not begun.is_set():
            await conversation.send(reply[: 3 << 20])
            begun.set()
            await conversation.rest()
        else:
            await conversation.send(reply)

    async with running(service, script) as member:
        await fetch(service, "/kept")
        client = await Client.connect(service.port)
        await client.send(get("/torn"))
        await begun.wait()
        new = tmp_path / "cache" / "objects" / "new"

        async def writing():
            return any(file.stat().st_size > 1 << 20 for file in new.iterdir())

        await until(writing)
        before = {worker["pid"] for worker in (await service.status())["workers"]}
        for pid in before:
            os.kill(pid, signal.SIGKILL)

        async def replaced():
            workers = (await service.status())["workers"]
            return len(workers) == 2 and not before & {worker["pid"] for worker in workers}

        await until(replaced)
        client.close()
        asked = len(member.requests)
        assert await fetch(service, "/kept") == (200, whole)
        assert len(member.requests) == asked
        assert await fetch(service, "/torn") == (200, whole)
        assert len(member.requests) == asked + 1
        assert await fetch(service, "/torn") == (200, whole)


async def test_a_reload_keeps_what_is_stored(service):
    async with running(service, tagged()) as member:
        await in_both_workers(service)
        asked = len(member.requests)
        text = service.config.read_text().replace("memory: 8MB", "memory: 16MB")
        service.config.write_text(text.replace("own: {memory: 1MB}", "own: {memory: 1MB, disk: other}"))
        assert (await service.run("reload", "--admin", f"127.0.0.1:{service.admin}"))[0] == 0
        for _ in range(4):
            assert await fetch(service) == (200, b"x")
        assert len(member.requests) == asked
        _, output = await service.run("cache", "stats", "--json", "--admin", f"127.0.0.1:{service.admin}")
        rows = {row["store"]: row for row in json.loads(output)}
        assert rows["site"]["memory_limit"] == 16 << 20
        assert rows["own"]["disk_path"].endswith("other")
