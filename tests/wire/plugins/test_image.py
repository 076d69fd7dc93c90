"""The plugin `image` on real sockets: variants in the cache, and processes that leave nothing behind."""

import asyncio
import contextlib
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.kit.client import Client, get
from tests.kit.images import GPS, opened, photo, png_bomb
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.wire.cached import caching
from tests.wire.service import alive, until

PHOTO = photo()
FRESH = "Cache-Control: max-age=100"
JPEG = "Content-Type: image/jpeg"
AVIF, WEBP = "Accept: image/avif,image/webp,*/*;q=0.8", "Accept: image/webp,*/*"
IMAGE = {"plugins": [{"image": {"formats": ["avif", "webp"], "max_width": 2048, "quality": 80}}]}


def image(**options):
    return {"plugins": [{"image": options}]}


async def asked(tmp_path, reply, request, route, method="GET"):
    """Return what the client gets, and the requests that the member got."""
    async with (
        Member(answering(reply)) as member,
        serving(tmp_path, config(member.address, route=route)) as proxy,
        proxy.client() as client,
    ):
        return await client.ask(request, method), member.requests


async def test_image_is_converted_without_a_cache(tmp_path):
    reply = response(PHOTO, JPEG, 'ETag: "1"')
    answer, (request,) = await asked(tmp_path, reply, get("/a.jpg?w=160&v=1", AVIF), IMAGE)
    assert request.target == "/a.jpg?v=1"
    assert opened(answer.body).format == "AVIF"
    assert opened(answer.body).size == (160, 80)
    assert GPS not in answer.body
    assert answer[b"content-type"] == b"image/avif"
    assert answer[b"content-length"] == str(len(answer.body)).encode()
    assert answer[b"etag"] == b'W/"1"'
    assert answer[b"vary"] == b"Accept"


async def test_member_gets_the_query_behind_a_rewrite(tmp_path):
    route = {**image(forward_parameters=True), "rewrite": {"strip_prefix": "/pictures"}}
    request = get("/pictures/a.jpg?v=1&w=100", AVIF)
    _, (request,) = await asked(tmp_path, response(PHOTO, JPEG), request, route)
    assert request.target == "/a.jpg?v=1&w=100&q=80"


async def test_each_variant_is_converted_once_and_stored(tmp_path):
    async with caching(tmp_path, response(PHOTO, JPEG, FRESH, 'ETag: "1"'), route=IMAGE) as cached:
        for _ in range(2):
            for accept, image_format in ((AVIF, "AVIF"), (WEBP, "WEBP"), ("Accept: */*", "JPEG")):
                for width in (160, 320):
                    answer = await cached.get(f"/a.jpg?w={width}", accept)
                    assert opened(answer.body).format == image_format
                    assert opened(answer.body).size == (width, width // 2)
                    assert answer[b"vary"] == b"Accept"
        assert len(cached.asked) == 6


async def test_requests_for_any_width_cannot_flood_the_cache(tmp_path):
    route = image(widths=[160, 320])
    async with caching(tmp_path, response(PHOTO, JPEG, FRESH), route=route) as cached:
        for number in range(40):
            accept = f"Accept: image/avif,image/x-{number},*/*"
            answer = await cached.get(
                f"/a.jpg?w={161 + number}&q={75 + number % 10}&dpr=1.0{number:02}", accept
            )
            assert opened(answer.body).format == "AVIF"
        assert len(cached.asked) == 1


async def test_range_of_a_stored_variant_is_a_range_of_the_result(tmp_path):
    async with caching(tmp_path, response(PHOTO, JPEG, FRESH, 'ETag: "1"'), route=IMAGE) as cached:
        whole = (await cached.get("/a.jpg", AVIF)).body
        part = await cached.get("/a.jpg", AVIF, "Range: bytes=0-9")
        assert part.status == 206
        assert part.body == whole[:10]
        assert len(cached.asked) == 1


async def test_stored_variant_is_confirmed_by_the_tag_of_the_client(tmp_path):
    async with caching(tmp_path, response(PHOTO, JPEG, FRESH, 'ETag: "1"'), route=IMAGE) as cached:
        tag = (await cached.get("/a.jpg", AVIF))[b"etag"].decode()
        assert (await cached.get("/a.jpg", AVIF, f"If-None-Match: {tag}")).status == 304


async def test_stale_variant_is_revalidated_and_not_converted_again(tmp_path):
    def reply(request):
        if b"if-none-match" in request:
            return response(b"", FRESH, 'ETag: "1"', status=304, length=False)
        return response(PHOTO, JPEG, "Cache-Control: max-age=0", 'ETag: "1"')

    async with caching(tmp_path, reply, route=IMAGE) as cached:
        first = await cached.get("/a.jpg", AVIF)
        second = await cached.get("/a.jpg", AVIF)
        assert second.body == first.body
        assert second[b"content-type"] == b"image/avif"
        assert [b"if-none-match" in request for request in cached.asked] == [False, True]


async def test_bomb_is_refused_and_the_next_image_converted(tmp_path):
    async with caching(
        tmp_path,
        response(png_bomb(), "Content-Type: image/png", FRESH),
        response(PHOTO, JPEG, FRESH),
        route=IMAGE,
    ) as cached:
        assert (await cached.get("/bomb.png", AVIF)).status == 502
        assert (await cached.get("/a.jpg", AVIF)).status == 200


async def test_original_that_is_sent_for_lack_of_room_is_not_stored(tmp_path):
    async with caching(tmp_path, response(PHOTO, JPEG, FRESH), route=image(queue=0)) as cached:
        clients = [await Client.connect(cached.proxy.port) for _ in range(4)]
        answers = await asyncio.gather(
            *(client.ask(get(f"/{number}.jpg", AVIF)) for number, client in enumerate(clients))
        )
        formats = sorted(opened(each.body).format for each in answers)
        assert formats == ["AVIF", "JPEG", "JPEG", "JPEG"]
        assert all(GPS not in each.body for each in answers)
        for number, answer in enumerate(answers):
            assert (answer[b"cache-control"] == b"no-store") == (opened(answer.body).format == "JPEG")
            again = await cached.get(f"/{number}.jpg", AVIF)
            assert opened(again.body).format == "AVIF"
        for client in clients:
            client.close()


def converters(of=None):
    """The processes for jobs that run, with `of` those of this parent."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            pid = int(folder.name)
            command = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if b"job_process.py" in command and of in (None, parent):
                found.append(pid)
    return found


async def _none_of_this_process():
    return not converters(os.getpid())


async def test_processes_end_with_the_route_that_a_reload_removes(tmp_path):
    async with Member(answering(response(PHOTO, JPEG))) as member:
        mapping = config(member.address, route=IMAGE)
        async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
            await client.ask(get("/a.jpg", AVIF))
            assert len(converters(os.getpid())) == 1
            await proxy.change(lambda written: written["routes"][0].pop("plugins"))
            await until(_none_of_this_process)
            assert (await client.ask(get("/a.jpg", AVIF))).body == PHOTO
    assert not converters(os.getpid())


SERVICE = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes:
  - pool: app
    plugins: [{image: {}}]
pools: {app: {members: ["@member"]}}
admin: {bind: "@admin"}
shutdown: {grace: 1s}
"""


@pytest.mark.parametrize("how", ["kill the worker", "kill the service", "stop"])
async def test_no_process_outlives_its_worker(service, how):
    async with Member(answering(response(PHOTO, JPEG))) as member:
        service.write(SERVICE, member=member.port)
        await service.started()
        assert (await service.get("/a.jpg"))[0] == 200
        worker = (await service.status())["workers"][0]["pid"]
        (converter,) = converters(worker)
        if how == "kill the worker":
            os.kill(worker, signal.SIGKILL)
        else:
            service.signal(signal.SIGTERM if how == "stop" else signal.SIGKILL)
        await until(partial(_gone, converter))


async def _gone(pid):
    return not alive(pid)
