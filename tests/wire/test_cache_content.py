"""Content from the store: ranges, parts, large objects, disks that fail."""

import errno
import os

import pytest

from adc.cache.files import FileWriter
from adc.cache.purge import Purge, Scope
from adc.proxy.phases import CLIENT_WRITE
from tests.kit.client import get
from tests.kit.member import response
from tests.kit.waiting import eventually
from tests.wire.cached import caching, date, numbered, told

FRESH = "Cache-Control: max-age=100"
STALE = "Cache-Control: max-age=1"
TAG = 'ETag: "a"'
LARGE = os.urandom(3 << 20)


@pytest.mark.parametrize(
    ("asked", "content", "where"),
    [
        ("bytes=2-4", b"234", b"bytes 2-4/10"),
        ("bytes=7-", b"789", b"bytes 7-9/10"),
        ("bytes=-2", b"89", b"bytes 8-9/10"),
        ("bytes=0-99", b"0123456789", b"bytes 0-9/10"),
        ("BYTES=1-1", b"1", b"bytes 1-1/10"),
    ],
)
async def test_a_range_is_cut_from_a_stored_response(asked, content, where, tmp_path):
    async with caching(tmp_path, response(b"0123456789", FRESH, TAG)) as cached:
        await cached.get()
        part = await cached.get("/", f"Range: {asked}")
        assert (part.status, part.body, part[b"content-range"]) == (206, content, where)
        assert len(cached.asked) == 1


@pytest.mark.parametrize("asked", ["bytes=4-2", "bytes=x", "lines=1-2", "bytes=", "bytes=0-3,2-5"])
async def test_a_range_that_means_nothing_gets_everything(asked, tmp_path):
    async with caching(tmp_path, response(b"0123456789", FRESH)) as cached:
        await cached.get()
        whole = await cached.get("/", f"Range: {asked}")
        assert (whole.status, whole.body) == (200, b"0123456789")


async def test_several_ranges_come_as_parts(tmp_path):
    async with caching(tmp_path, response(b"0123456789", FRESH, "Content-Type: text/x")) as cached:
        await cached.get()
        reply = await cached.get("/", "Range: bytes=0-1,8-9")
    kind = reply[b"content-type"]
    boundary = kind.partition(b"boundary=")[2]
    assert kind.startswith(b"multipart/byteranges")
    parts = reply.body.split(b"--" + boundary)
    assert [part.partition(b"\r\n\r\n")[2].strip() for part in parts[1:-1]] == [b"01", b"89"]
    assert parts[-1] == b"--\r\n"


async def test_a_range_outside_gets_416(tmp_path):
    async with caching(tmp_path, response(b"0123456789", FRESH)) as cached:
        await cached.get()
        reply = await cached.get("/", "Range: bytes=10-")
        assert (reply.status, reply[b"content-range"], reply.body) == (416, b"bytes */10", b"")
        assert (await cached.get()).body == b"0123456789"


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"a"', 206), ('"b"', 200), ('W/"a"', 200), (date(-5), 200)],
    ids=["same", "other", "weak", "date"],
)
async def test_if_range(condition, status, tmp_path):
    async with caching(tmp_path, response(b"0123456789", FRESH, TAG)) as cached:
        await cached.get()
        assert (await cached.get("/", "Range: bytes=0-1", f"If-Range: {condition}")).status == status


def part(first, last, *fields, whole=b"0123456789"):
    content = whole[first : last + 1]
    return response(content, f"Content-Range: bytes {first}-{last}/{len(whole)}", *fields, status=206)


async def test_a_stored_part_answers_what_lies_in_it(tmp_path):
    async with caching(tmp_path, part(2, 6, FRESH, TAG), response(b"0123456789")) as cached:
        first = await cached.get("/", "Range: bytes=2-6")
        assert (first.status, first.body) == (206, b"23456")
        inner = await cached.get("/", "Range: bytes=3-4")
        assert (inner.status, inner.body, inner[b"content-range"]) == (206, b"34", b"bytes 3-4/10")
        assert len(cached.asked) == 1
        assert (await cached.get()).status == 200
        assert len(cached.asked) == 2


async def test_parts_of_one_representation_grow_into_the_whole(tmp_path):
    async with caching(tmp_path, part(0, 4, FRESH, TAG), part(5, 9, FRESH, TAG)) as cached:
        await cached.get("/", "Range: bytes=0-4")
        await cached.get("/", "Range: bytes=5-9")
        whole = await cached.get()
        assert (whole.status, whole.body) == (200, b"0123456789")
        assert b"content-range" not in whole
        assert len(cached.asked) == 2


async def test_a_part_that_another_worker_stored_grows_too(tmp_path):
    async with caching(tmp_path, part(0, 4, FRESH, TAG), part(5, 9, FRESH, TAG)) as cached:
        await cached.get("/", "Range: bytes=0-4")
        cached.store.tiers.memory.purge(Purge(Scope.ALL))  # as in a worker that has not stored it
        await cached.get("/", "Range: bytes=5-9")
        assert (await cached.get()).body == b"0123456789"
        assert len(cached.asked) == 2


async def test_parts_of_different_representations_are_not_joined(tmp_path):
    async with caching(
        tmp_path, part(0, 4, FRESH, TAG), part(5, 9, FRESH, 'ETag: "b"'), response(b"x")
    ) as cached:
        await cached.get("/", "Range: bytes=0-4")
        await cached.get("/", "Range: bytes=5-9")
        assert (await cached.get()).body == b"x"


@pytest.mark.parametrize("disk", [True, False])
async def test_a_large_object_is_stored_and_sent_whole_and_in_parts(disk, tmp_path):
    async with caching(tmp_path, response(LARGE, FRESH, TAG), disk=disk) as cached:
        for _ in range(2):
            assert (await cached.get()).body == LARGE
        assert len(cached.asked) == 1
        assert (await cached.get("/", "Range: bytes=1000000-2999999")).body == LARGE[1000000:3000000]
        parts = await cached.get("/", "Range: bytes=0-600000,1000000-2000000")
        assert LARGE[1000000:2000001] in parts.body
        assert parts[b"content-length"] == b"%d" % len(parts.body)
        assert (await cached.get("/", method="HEAD"))[b"content-length"] == b"%d" % len(LARGE)
        assert (cached.store.tiers.memory.size < 1 << 20) is disk


async def test_a_client_that_reads_slowly_holds_little_in_memory(tmp_path):
    big = os.urandom(16 << 20)
    async with caching(tmp_path, response(big, FRESH)) as cached:
        assert (await cached.get()).body == big
        async with cached.proxy.client(receive_buffer=1 << 14) as slow:
            await slow.send(get())
            (exchange,) = await eventually(lambda: cached.proxy.listener.service.active)
            await eventually(lambda: exchange.phase is CLIENT_WRITE)
            assert exchange.stream._transport.get_write_buffer_size() < 1 << 20
            assert (await slow.reply()).body == big


async def test_a_client_that_leaves_in_the_middle_leaves_nothing_open(tmp_path):
    async with caching(tmp_path, response(LARGE, FRESH)) as cached:
        await cached.get()
        before = len(os.listdir("/proc/self/fd"))
        async with cached.proxy.client(receive_buffer=1 << 14) as leaving:
            await leaving.send(get())
            assert await leaving.some()
        await eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)
        assert (await cached.get()).body == LARGE


async def test_too_large_response_is_forwarded_and_not_stored(tmp_path):
    small = {"max_object": "1MB"}
    async with caching(tmp_path, response(LARGE, FRESH), store=small) as cached:
        for _ in range(2):
            reply = await cached.get()
            assert reply.body == LARGE
            assert "stored" not in told(reply)
        assert len(cached.asked) == 2


async def test_chunked_content_that_grows_too_large_is_passed_on_and_not_stored(tmp_path):
    head = response(b"", FRESH, "Connection: close", length=False)

    async def script(conversation):
        await conversation.request()
        await conversation.send(head + LARGE)

    async with caching(tmp_path, script=script, store={"max_object": "1MB"}) as cached:
        assert (await cached.get()).body == LARGE
        assert (await cached.get()).body == LARGE
        assert len(cached.asked) == 2
        assert not list((tmp_path / "c" / "objects" / "new").iterdir())


async def test_a_response_that_breaks_off_is_not_stored(tmp_path):
    torn = response(b"x" * 100, FRESH)[:-50]

    async def script(conversation):
        await conversation.request()
        if len(conversation.member.requests) == 1:
            await conversation.send(torn)
            return
        await conversation.send(response(b"whole", FRESH))

    async with caching(tmp_path, script=script) as cached:
        async with cached.proxy.client() as broken:
            await broken.send(get())
            with pytest.raises((ConnectionError, EOFError)):
                await broken.reply()
        assert (await cached.get()).body == b"whole"
        assert (await cached.get()).body == b"whole"
        assert len(cached.asked) == 2


def files(folder):
    return [path for path in (folder / "c" / "objects").rglob("*") if path.is_file()]


async def test_a_restart_finds_what_was_stored(tmp_path):
    async with caching(tmp_path, response(b"kept", FRESH, TAG)) as cached:
        await cached.get()
    async with caching(tmp_path, response(b"new", FRESH)) as cached:
        # another member has another port, but the key is the client's URL
        reply = await cached.get()
        assert (reply.body, reply[b"etag"]) == (b"kept", b'"a"')
        assert cached.asked == []


@pytest.mark.parametrize("size", [100, len(LARGE)])
@pytest.mark.parametrize("harm", ["flipped", "cut", "gone"])
async def test_a_damaged_file_is_dropped_and_fetched_again(size, harm, tmp_path):
    content = LARGE[:size]
    async with caching(tmp_path, response(content, FRESH)) as cached:
        await cached.get()
    (file,) = files(tmp_path)
    data = file.read_bytes()
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(data[:-10] if harm == "cut" else b"\xff" + data[1:])
    async with caching(tmp_path, response(content, FRESH)) as cached:
        assert (await cached.get()).body == content
        assert len(cached.asked) == 1
        assert (await cached.get()).body == content
        assert len(cached.asked) == 1
        assert harm == "gone" or "dropped" in cached.proxy.error_log()


async def test_a_full_disk_costs_the_storing_and_nothing_else(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(FileWriter, "write", full)
    async with caching(
        tmp_path, lambda request: response(LARGE if request.target == "/l" else b"s", FRESH)
    ) as cached:
        for _ in range(2):
            assert (await cached.get("/l")).body == LARGE
            assert (await cached.get("/s")).body == b"s"
        assert [request.target for request in cached.asked] == ["/l", "/s", "/l"]
        assert "No space left" in cached.proxy.error_log()


async def test_unique_urls_stay_within_the_limits(tmp_path):
    limits = {"memory": "64KB", "disk": {"path": str(tmp_path / "c"), "size": "1MB"}}
    async with caching(tmp_path, response(b"x" * 10_000, FRESH), store=limits) as cached:
        for number in range(200):
            await cached.get(f"/?{number}")
        assert cached.store.tiers.memory.size <= 64 << 10
        assert cached.store.tiers.disk.index.total() <= 1 << 20
        assert sum(file.stat().st_size for file in files(tmp_path)) <= 1 << 20


async def test_many_variants_of_a_url_stay_within_their_limit(tmp_path):
    async with caching(tmp_path, response(b"x", FRESH, "Vary: X")) as cached:
        for number in range(100):
            await cached.get("/", f"X: {number}")
        assert len(cached.store.tiers.get(b"http://a/")) <= 32


async def test_a_store_without_room_in_memory_serves_from_disk(tmp_path):
    async with caching(tmp_path, numbered(FRESH), store={"memory": "0B"}) as cached:
        for _ in range(3):
            assert (await cached.get()).body == b"body 1"


async def test_pipelined_requests_are_answered_from_the_store_in_order(tmp_path):
    async with caching(tmp_path, lambda request: response(request.target.encode(), FRESH)) as cached:
        await cached.get("/a")
        await cached.client.send(get("/a") + get("/b") + get("/a"))
        assert [(await cached.client.reply()).body for _ in range(3)] == [b"/a", b"/b", b"/a"]
