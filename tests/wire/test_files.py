"""Files of a folder, over sockets."""

import asyncio
import contextlib
import errno
import gzip
import json
import os
import re
import socket
from email.utils import formatdate

import pytest

from adc.proxy.files import root as rooms
from adc.proxy.files.open_files import OpenFiles
from tests.kit.authority import Authority, tls_client
from tests.kit.client import get
from tests.kit.proxy import serving
from tests.kit.waiting import eventually

LARGE = os.urandom(3 << 20)


def config(route=None, **files):
    """One route `all` with files."""
    return {
        "listeners": [{"name": "web", "bind": "127.0.0.1:0"}],
        "routes": [{"name": "all", "files": {"root": "site", **files}, **(route or {})}],
    }


class Site:
    def __init__(self, folder, proxy, client):
        self.folder = folder
        self.proxy = proxy
        self.client = client

    async def get(self, target="/", *fields, method="GET", **options):
        return await self.client.ask(get(target, *fields, method=method, **options), method)

    def write(self, name, content=b"content", age=100):
        """Write a file that was changed `age` seconds ago."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        then = path.stat().st_mtime - age
        os.utime(path, (then, then))
        return path

    def pass_second(self):
        """Let the time pass for which files are not looked at again."""
        self.proxy.advance_clock(rooms.LOOK_AGAIN)


@contextlib.asynccontextmanager
async def site(folder, route=None, top=None, **files):
    (folder / "run" / "site").mkdir(parents=True, exist_ok=True)
    mapping = {**config(route, **files), **(top or {})}
    async with serving(folder / "run", mapping) as proxy, proxy.client() as client:
        yield Site(folder / "run" / "site", proxy, client)


@pytest.fixture
async def plain(tmp_path):
    async with site(tmp_path) as served:
        yield served


async def test_a_file_comes_with_type_length_and_validators(plain):
    path = plain.write("a/style.css", b"body{}")
    reply = await plain.get("/a/style.css")
    assert (reply.status, reply.body) == (200, b"body{}")
    assert reply[b"content-type"] == b"text/css; charset=utf-8"
    assert reply[b"content-length"] == b"6"
    assert reply[b"last-modified"] == formatdate(path.stat().st_mtime, usegmt=True).encode()
    assert re.fullmatch(rb'"[0-9a-f-]+"', reply[b"etag"])
    assert reply[b"accept-ranges"] == b"bytes"
    assert b"vary" not in reply


async def test_head_gives_the_same_head_without_content(plain):
    plain.write("a.txt", b"text")
    of_get, of_head = await plain.get("/a.txt"), await plain.get("/a.txt", method="HEAD")
    assert (of_head.status, of_head.body) == (200, b"")
    assert of_head[b"content-length"] == b"4"
    assert of_head[b"etag"] == of_get[b"etag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND"])
async def test_other_methods_get_405_with_allow(plain, method):
    plain.write("a.txt")
    reply = await plain.get("/a.txt", method=method)
    assert (reply.status, reply[b"allow"]) == (405, b"GET, HEAD")


async def test_empty_file_has_length_zero(plain):
    plain.write("empty.html", b"")
    reply = await plain.get("/empty.html")
    assert (reply.status, reply[b"content-length"], reply.body) == (200, b"0", b"")


async def test_folder_answers_with_its_index(tmp_path):
    async with site(tmp_path, index=["none.html", "index.htm"]) as served:
        served.write("index.htm", b"front")
        served.write("docs/index.htm", b"docs")
        assert (await served.get("/")).body == b"front"
        reply = await served.get("/docs/")
        assert (reply.body, reply[b"content-type"]) == (b"docs", b"text/html; charset=utf-8")


async def test_folder_without_slash_redirects_to_it_within_this_host(plain):
    plain.write("docs/index.html")
    for target, location in (
        ("/docs", b"/docs/"),
        ("/docs?a=b", b"/docs/?a=b"),
        ("//docs", b"/docs/"),
        ("/docs/../docs", b"/docs/"),
    ):
        reply = await plain.get(target)
        assert (reply.status, reply[b"location"]) == (301, location)


async def test_folder_named_like_a_host_redirects_within_this_host(plain):
    plain.write("evil.test/x/index.html")
    reply = await plain.get("//evil.test/x")
    assert reply[b"location"] == b"/evil.test/x/"


async def test_folder_without_index_is_not_listed(plain):
    plain.write("docs/secret.txt")
    reply = await plain.get("/docs/")
    assert reply.status == 404
    assert b"secret" not in reply.body


async def test_file_with_a_slash_behind_it_is_404(plain):
    plain.write("a.txt")
    assert (await plain.get("/a.txt/")).status == 404
    assert (await plain.get("/a.txt/b")).status == 404


async def test_names_with_escapes_spaces_and_other_charsets_are_found(plain):
    for name, target in (
        (b"a b.txt", "/a%20b.txt"),
        ("ä.txt".encode(), "/%C3%A4.txt"),
        ("한글.txt".encode("euc-kr"), "/%C7%D1%B1%DB.txt"),
        (b"a+b;c=1.txt", "/a+b;c=1.txt"),
        (b"100%25.txt", "/100%2525.txt"),
        (b'x\'("y").txt', "/x'(%22y%22).txt"),
    ):
        plain.write(os.fsdecode(name), name)
        reply = await plain.get(target)
        assert (reply.status, reply.body) == (200, name), target


@pytest.mark.parametrize(
    "target",
    [
        "/..%2Foutside.txt",
        "/%2e%2e/outside.txt",
        "/../outside.txt",
        "/a/..%2f..%2foutside.txt",
        "/%2e%2e%2foutside.txt",
        "/..%5Coutside.txt",
        "/%252e%252e/outside.txt",
        "/a%2Fb.txt",
        "/a%5Cb.txt",
        "/a.txt%00.html",
        "/..;/outside.txt",
        "/%c0%ae%c0%ae/outside.txt",
        "/" + "a" * 256,
        "/" + "a" * 4000,
        "/" + "a/" * 2500,
        "/%FF%FE",
        "/%0a",
    ],
)
async def test_names_that_no_file_can_have_are_refused(plain, target):
    plain.write("a/b.txt")
    plain.write("../outside.txt", b"OUTSIDE")
    reply = await plain.get(target)
    assert reply.status in (400, 404), reply
    assert b"OUTSIDE" not in reply.body


async def test_hidden_files_are_404_and_shown_on_request(tmp_path):
    for hidden, status in ((False, 404), (True, 200)):
        async with site(tmp_path / str(hidden), hidden=hidden) as served:
            for name in (".env", ".git/config", "a/.htaccess", "%2Eenv"):
                served.write(name.replace("%2E", "."))
                assert (await served.get("/" + name)).status == status
            served.write(".well-known/security.txt")
            assert (await served.get("/.well-known/security.txt")).status == 200


async def test_links_stay_within_the_root(plain):
    plain.write("../outside/secret.txt", b"OUTSIDE")
    plain.write("real/a.txt", b"inside")
    folder = plain.folder
    (folder / "inside.txt").symlink_to("real/a.txt")
    (folder / "up.txt").symlink_to("../outside/secret.txt")
    (folder / "absolute.txt").symlink_to(folder / "../outside/secret.txt")
    (folder / "folder").symlink_to("../outside")
    (folder / "loop").symlink_to("loop")
    (folder / "real/back").symlink_to("../../outside")
    assert (await plain.get("/inside.txt")).body == b"inside"
    for target in (
        "/up.txt",
        "/absolute.txt",
        "/folder/secret.txt",
        "/folder/",
        "/folder",
        "/loop",
        "/real/back/secret.txt",
    ):
        reply = await plain.get(target)
        assert reply.status == 404, target
        assert b"OUTSIDE" not in reply.body


async def test_edited_and_plain_responses_of_a_file_do_not_mix(tmp_path):
    edited = {"name": "edited", "match": {"method": "GET", "headers": {"X-Edit": "1"}}}
    files = {"root": "site"}
    top = {
        "routes": [
            {**edited, "files": files, "response_headers": {"set": {"X-Own": "1"}}},
            {"name": "all", "files": files},
        ]
    }
    async with site(tmp_path, top=top) as served:
        served.write("a.txt", b"one")
        for _ in range(3):
            own = await served.get("/a.txt", "X-Edit: 1")
            plain = await served.get("/a.txt")
            assert (own[b"x-own"], own.body) == (b"1", b"one")
            assert b"x-own" not in plain
            assert plain.all(b"etag") == own.all(b"etag")


async def test_a_file_that_becomes_a_link_out_is_gone_within_a_second(plain):
    path = plain.write("a.txt", b"inside")
    plain.write("../outside.txt", b"OUTSIDE")
    assert (await plain.get("/a.txt")).body == b"inside"
    os.rename(path, plain.folder / "../moved.txt")
    path.symlink_to("../moved.txt")
    plain.pass_second()
    assert (await plain.get("/a.txt")).status == 404


async def test_a_folder_that_becomes_a_link_out_is_gone_within_a_second(plain):
    plain.write("a/b.txt", b"inside")
    assert (await plain.get("/a/b.txt")).body == b"inside"
    plain.pass_second()
    assert (await plain.get("/a/b.txt")).body == b"inside"
    os.rename(plain.folder / "a", plain.folder / "../moved")
    (plain.folder / "a").symlink_to("../moved")
    plain.pass_second()
    assert (await plain.get("/a/b.txt")).status == 404


async def test_a_file_behind_a_link_follows_its_switch(plain):
    plain.write("real/one.txt", b"one")
    plain.write("real/two.txt", b"two")
    plain.write("../outside.txt", b"OUTSIDE")
    link = plain.folder / "a.txt"
    for target, expected in (("real/one.txt", b"one"), ("real/two.txt", b"two"), ("../outside.txt", None)):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        for _ in range(2):
            plain.pass_second()
            reply = await plain.get("/a.txt")
            assert (reply.body if reply.status == 200 else None) == expected


async def test_only_regular_files_are_opened(plain, monkeypatch):
    os.mkfifo(plain.folder / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(plain.folder / "sock"))
        (plain.folder / "null").symlink_to("/dev/null")
        for target in ("/fifo", "/sock", "/null"):
            assert (await plain.get(target)).status == 404


async def test_permission_denied_is_403(plain, monkeypatch):
    plain.write("a.txt")

    def denied(*arguments):
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr("adc.proxy.files.root.open_beneath", denied)
    assert (await plain.get("/a.txt")).status == 403


async def test_no_descriptors_left_is_503_and_logged(plain, monkeypatch):
    plain.write("a.txt")

    def exhausted(*arguments):
        raise OSError(errno.EMFILE, "too many")

    monkeypatch.setattr("adc.proxy.files.root.open_beneath", exhausted)
    reply = await plain.get("/a.txt")
    assert reply.status == 503
    assert b"retry-after" in reply
    assert "file_failed" in plain.proxy.error_log()


async def test_current_copies_get_304(plain):
    plain.write("a.txt")
    first = await plain.get("/a.txt")
    etag, date = first[b"etag"].decode(), first[b"last-modified"].decode()
    for field in (
        f"If-None-Match: {etag}",
        f'If-None-Match: "x", W/{etag}',
        "If-None-Match: *",
        f"If-Modified-Since: {date}",
    ):
        reply = await plain.get("/a.txt", field)
        assert (reply.status, reply.body) == (304, b""), field
        assert reply[b"etag"] == first[b"etag"]
    assert (await plain.get("/a.txt", 'If-None-Match: "x"', f"If-Modified-Since: {date}")).status == 200
    assert (await plain.get("/a.txt", "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT")).status == 200


async def test_failed_preconditions_get_412(plain):
    plain.write("a.txt")
    etag = (await plain.get("/a.txt"))[b"etag"].decode()
    assert (await plain.get("/a.txt", f"If-Match: {etag}")).status == 200
    assert (await plain.get("/a.txt", "If-Match: *")).status == 200
    assert (await plain.get("/a.txt", f"If-Match: W/{etag}")).status == 412
    assert (await plain.get("/a.txt", 'If-Match: "x"')).status == 412
    assert (await plain.get("/a.txt", "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT")).status == 412


async def test_one_range_is_a_206(plain):
    plain.write("a.txt", b"0123456789")
    for asked, body, where in (
        ("0-0", b"0", b"bytes 0-0/10"),
        ("5-", b"56789", b"bytes 5-9/10"),
        ("-3", b"789", b"bytes 7-9/10"),
        ("8-100", b"89", b"bytes 8-9/10"),
    ):
        reply = await plain.get("/a.txt", f"Range: bytes={asked}")
        assert (reply.status, reply.body, reply[b"content-range"]) == (206, body, where)
        assert reply[b"content-length"] == b"%d" % len(body)


async def test_ranges_beyond_the_end_are_a_416(plain):
    plain.write("a.txt", b"0123456789")
    reply = await plain.get("/a.txt", "Range: bytes=10-")
    assert (reply.status, reply[b"content-range"]) == (416, b"bytes */10")


async def test_several_ranges_come_as_parts(plain):
    plain.write("large.bin", LARGE)
    reply = await plain.get("/large.bin", "Range: bytes=0-99999,200000-200009,1000000-1999999")
    assert reply.status == 206
    assert reply[b"content-length"] == b"%d" % len(reply.body)
    boundary = reply[b"content-type"].partition(b"boundary=")[2]
    parts = [part.partition(b"\r\n\r\n") for part in reply.body.split(b"--" + boundary)[1:-1]]
    assert [part[2][:-2] for part in parts] == [
        LARGE[:100000],
        LARGE[200000:200010],
        LARGE[1000000:2000000],
    ]
    assert b"Content-Range: bytes 200000-200009/3145728" in parts[1][0]


async def test_too_many_or_overlapping_ranges_get_the_whole(plain):
    plain.write("a.txt", b"0123456789" * 10)
    many = ",".join(f"{n}-{n}" for n in range(0, 60, 2))
    for asked in (many, "0-50,10-60", "x", "5-2", "0-1;2"):
        reply = await plain.get("/a.txt", f"Range: bytes={asked}")
        assert (reply.status, len(reply.body)) == (200, 100)


async def test_if_range_with_another_validator_gets_the_whole(plain):
    plain.write("a.txt", b"0123456789")
    first = await plain.get("/a.txt")
    etag, date = first[b"etag"].decode(), first[b"last-modified"].decode()
    for condition, status in ((etag, 206), (date, 206), ('"x"', 200), (f"W/{etag}", 200), ("x", 200)):
        reply = await plain.get("/a.txt", "Range: bytes=0-0", f"If-Range: {condition}")
        assert reply.status == status, condition


async def test_compressed_copies_go_to_clients_that_accept_them(plain):
    text = b"text " * 100
    plain.write("app.js", text)
    plain.write("app.js.gz", gzip.compress(text))
    plain.write("app.js.br", b"BR")
    identity = await plain.get("/app.js")
    assert (identity.body, identity[b"vary"]) == (text, b"Accept-Encoding")
    zipped = await plain.get("/app.js", "Accept-Encoding: gzip")
    assert (zipped[b"content-encoding"], zipped[b"vary"]) == (b"gzip", b"Accept-Encoding")
    assert gzip.decompress(zipped.body) == text
    assert zipped[b"content-type"] == identity[b"content-type"]
    assert zipped[b"etag"] != identity[b"etag"]
    best = await plain.get("/app.js", "Accept-Encoding: gzip, deflate, br, zstd")
    assert (best[b"content-encoding"], best.body) == (b"br", b"BR")
    refused = await plain.get("/app.js", "Accept-Encoding: br;q=0, gzip;q=0.5")
    assert refused[b"content-encoding"] == b"gzip"
    current = await plain.get(
        "/app.js", "Accept-Encoding: gzip", f"If-None-Match: {zipped[b'etag'].decode()}"
    )
    assert (current.status, current[b"vary"]) == (304, b"Accept-Encoding")


async def test_precompressed_can_be_turned_off(tmp_path):
    async with site(tmp_path, precompressed=[]) as served:
        served.write("a.js")
        served.write("a.js.gz")
        reply = await served.get("/a.js", "Accept-Encoding: gzip")
        assert b"content-encoding" not in reply
        assert b"vary" not in reply


async def test_compressed_copies_are_sent_on_routes_with_compression_too(tmp_path):
    text = b"text " * 1000
    async with site(tmp_path, {"compression": True}) as served:
        served.write("a.txt", text)
        served.write("b.txt", text)
        served.write("b.txt.gz", gzip.compress(b"copy"))
        made = await served.get("/a.txt", "Accept-Encoding: gzip")
        assert (made[b"content-encoding"], gzip.decompress(made.body)) == (b"gzip", text)
        assert made[b"etag"].startswith(b"W/")
        for _ in range(2):
            copied = await served.get("/b.txt", "Accept-Encoding: gzip")
            assert gzip.decompress(copied.body) == b"copy"


@pytest.mark.parametrize("name", ["a.html", "a.png", "tiny.html"])
async def test_a_304_on_routes_with_compression_has_the_vary_of_the_200(tmp_path, name):
    async with site(tmp_path, route={"compression": True}) as served:
        served.write(name, b"x" * (10 if name == "tiny.html" else 5000))
        whole = await served.get(f"/{name}", "Accept-Encoding: br")
        again = await served.get(f"/{name}", f"If-None-Match: {whole[b'etag'].decode()}")
    assert (again.status, again.all(b"vary")) == (304, whole.all(b"vary"))


async def test_a_changed_file_is_served_after_a_second(plain):
    plain.write("a.txt", b"one")
    first = await plain.get("/a.txt")
    plain.write("a.txt", b"two two", age=50)
    assert (await plain.get("/a.txt")).body == b"one"
    plain.pass_second()
    second = await plain.get("/a.txt")
    assert (second.body, second[b"content-length"]) == (b"two two", b"7")
    assert second[b"etag"] != first[b"etag"]
    (plain.folder / "a.txt").unlink()
    plain.pass_second()
    assert (await plain.get("/a.txt")).status == 404


async def test_a_new_compressed_copy_is_served_after_some_seconds(plain):
    plain.write("a.txt", b"one")
    assert (await plain.get("/a.txt", "Accept-Encoding: gzip")).body == b"one"
    plain.write("a.txt.gz", b"zipped")
    for _ in range(5):
        plain.pass_second()
        reply = await plain.get("/a.txt", "Accept-Encoding: gzip")
    assert reply.body == b"zipped"


async def test_a_changed_or_removed_copy_is_noticed_after_a_second(plain):
    plain.write("a.txt", b"one")
    copy = plain.write("a.txt.gz", b"zipped")
    for content in (b"zipped", b"zipped again"):
        copy.write_bytes(content)
        plain.pass_second()
        assert (await plain.get("/a.txt", "Accept-Encoding: gzip")).body == content
    copy.unlink()
    plain.pass_second()
    assert (await plain.get("/a.txt", "Accept-Encoding: gzip")).body == b"one"


async def test_root_that_is_a_link_follows_its_switch(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    link = tmp_path / "current"
    link.symlink_to("one")
    async with site(tmp_path, root=str(link)) as served:
        assert (await served.get("/a.txt")).body == b"one"
        link.unlink()
        link.symlink_to("two")
        served.pass_second()
        assert (await served.get("/a.txt")).body == b"two"
        link.unlink()
        served.pass_second()
        assert (await served.get("/a.txt")).status == 404


@pytest.fixture
def sent(monkeypatch):
    """How many bytes each sendfile sent."""
    counts = []
    plain = os.sendfile

    def counting(out, file, offset, count):
        counts.append(plain(out, file, offset, count))
        return counts[-1]

    monkeypatch.setattr(os, "sendfile", counting)
    return counts


async def test_a_large_file_is_sent_by_the_kernel_and_counted(plain, sent):
    plain.write("large.bin", LARGE)
    plain.write("small.txt", b"small")
    await plain.client.send(
        get("/large.bin")
        + get("/small.txt")
        + get("/large.bin", "Range: bytes=9-1000008")
        + get("/small.txt")
    )
    bodies = [(await plain.client.reply()).body for _ in range(4)]
    assert bodies == [LARGE, b"small", LARGE[9:1000009], b"small"]
    assert sum(sent) == len(LARGE) + 1000000
    record = plain.proxy.access_log()[0]
    assert (record["bytes_out"], record["end_reason"]) == (len(LARGE), "-")


async def test_a_large_file_under_tls_is_read(tmp_path, sent):
    authority = Authority(tmp_path / "ca")
    tls = [{"name": "web", "bind": "127.0.0.1:0", "tls": {"certificates": [authority.issue("a.test")]}}]
    (tmp_path / "run" / "site").mkdir(parents=True)
    (tmp_path / "run" / "site" / "large.bin").write_bytes(LARGE)
    async with serving(tmp_path / "run", {**config(), "listeners": tls}) as proxy:
        client = await tls_client(proxy.port, authority.context())
        assert (await client.ask(get("/large.bin", host="a.test"))).body == LARGE
        client.close()
    assert sent == []


async def test_a_large_file_through_compression_is_read_and_whole(tmp_path, sent):
    text = b"0123456789" * 200_000
    async with site(tmp_path, {"compression": True}) as served:
        served.write("large.txt", text)
        reply = await served.get("/large.txt", "Accept-Encoding: gzip")
        assert gzip.decompress(reply.body) == text
        assert sent == []


async def test_others_are_served_while_a_large_file_is_compressed(tmp_path):
    async with site(tmp_path, {"compression": True}) as served, served.proxy.client() as other:
        served.write("large.txt", b"0123456789" * 5_000_000)
        served.write("small.txt", b"small")
        await other.ask(get("/small.txt"))
        await served.client.send(get("/large.txt", "Accept-Encoding: gzip"))
        assert (await other.ask(get("/small.txt"))).body == b"small"
        assert [record["target"] for record in served.proxy.access_log()] == 2 * ["/small.txt"]
        await served.client.reply()


async def test_a_replaced_file_is_sent_to_its_end_as_it_was(plain):
    content = os.urandom(16 << 20)
    path = plain.write("large.bin", content)
    async with plain.proxy.client(receive_buffer=1 << 14) as slow:
        await slow.send(get("/large.bin"))
        (exchange,) = await eventually(lambda: plain.proxy.listener.service.active)
        await eventually(lambda: exchange.bytes_out > 1 << 20)
        plain.write("new.bin", b"new" * 100)
        os.rename(plain.folder / "new.bin", path)
        plain.pass_second()
        assert (await plain.get("/large.bin")).body == b"new" * 100
        assert (await slow.reply()).body == content


async def test_a_file_that_is_cut_short_breaks_the_response_off(plain):
    path = plain.write("large.bin", os.urandom(16 << 20))
    async with plain.proxy.client(receive_buffer=1 << 14) as slow:
        await slow.send(get("/large.bin"))
        (exchange,) = await eventually(lambda: plain.proxy.listener.service.active)
        await eventually(lambda: exchange.bytes_out > 1 << 20)
        os.truncate(path, 12 << 20)
        with pytest.raises(ConnectionError):
            await slow.rest()
    assert plain.proxy.access_log()[-1]["end_reason"] == "file_failed"


async def test_descriptors_are_closed_when_clients_leave(plain):
    plain.write("large.bin", os.urandom(16 << 20))
    await plain.get("/large.bin", method="HEAD")
    before = len(os.listdir("/proc/self/fd"))
    async with plain.proxy.client(receive_buffer=1 << 14) as slow:
        await slow.send(get("/large.bin"))
        (exchange,) = await eventually(lambda: plain.proxy.listener.service.active)
        await eventually(lambda: exchange.bytes_out > 1 << 20)
    await eventually(lambda: len(os.listdir("/proc/self/fd")) <= before)


async def test_fallback_answers_for_what_is_missing_but_not_for_hidden_names(tmp_path):
    (tmp_path / "run" / "site").mkdir(parents=True)
    (tmp_path / "run" / "site" / "index.html").write_bytes(b"app")
    async with site(tmp_path, fallback="index.html") as served:
        served.write("a.txt", b"a")
        for target in ("/", "/users/7", "/a.txt/b", "/users/a%2Fb", "/assets/"):
            reply = await served.get(target)
            assert (reply.status, reply.body) == (200, b"app"), target
        assert (await served.get("/a.txt")).body == b"a"
        assert (await served.get("/.env")).status == 404
        assert (await served.get("/users/7", method="POST")).status == 405


async def test_candidates_are_tried_in_order(tmp_path):
    tried = ["/down.html", "$uri", "$uri.html", "$uri/", "/shared$uri", "/index.html"]
    (tmp_path / "run" / "site").mkdir(parents=True)
    (tmp_path / "run" / "site" / "index.html").write_bytes(b"app")
    async with site(tmp_path, **{"try": tried}) as served:
        for name in ("about.html", "both", "both.html", "docs/index.html", "docs.html", "more/index.html"):
            served.write(name, name.encode())
        served.write("shared/a.css", b"shared")
        for path, body in {
            "/about": b"about.html",
            "/about.html": b"about.html",
            "/both": b"both",
            "/docs": b"docs.html",
            "/docs/": b"docs/index.html",
            "/more/": b"more/index.html",
            "/a.css": b"shared",
            "/any/route?x=1": b"app",
            "/about/": b"app",
            "/": b"app",
            "/a%2fb": b"app",
        }.items():
            for _ in range(2):
                assert (await served.get(path)).body == body, path
        assert (await served.get("/more")).status == 301
        assert (await served.get("/.git/config")).status == 404
        served.write("down.html", b"down")
        served.pass_second()
        assert {(await served.get(path)).body for path in ("/about", "/", "/any")} == {b"down"}


async def test_file_that_comes_before_the_one_in_use_is_sent_after_a_second(tmp_path):
    async with site(
        tmp_path, index=["index.html", "index.htm"], **{"try": ["$uri", "$uri.html", "$uri/"]}
    ) as served:
        for later, sooner, path in (("a.html", "a", "/a"), ("b/index.htm", "b/index.html", "/b/")):
            served.write(later, b"later")
            assert (await served.get(path)).body == b"later"
            served.write(sooner, b"sooner")
            served.pass_second()
            assert (await served.get(path)).body == b"sooner"
            (served.folder / sooner).unlink()
            served.pass_second()
            assert (await served.get(path)).body == b"later"


async def test_file_for_all_paths_is_kept_once(tmp_path, monkeypatch):
    put, kept = OpenFiles.put, []
    monkeypatch.setattr(OpenFiles, "put", lambda self, *each: (kept.append(each), put(self, *each)))
    (tmp_path / "run" / "site").mkdir(parents=True)
    (tmp_path / "run" / "site" / "app.html").write_bytes(b"app")
    async with site(tmp_path, **{"try": ["$uri", "/app.html"]}) as served:
        for number in range(5):
            assert (await served.get(f"/{number}")).body == b"app"
    assert len(kept) == 1


async def test_status_of_the_list_answers_for_what_is_missing(tmp_path):
    async with site(tmp_path, **{"try": ["$uri", "=410"]}) as served:
        served.write("a", b"a")
        assert (await served.get("/none")).status == 410
        assert (await served.get("/a")).body == b"a"
        assert (await served.get("/", method="HEAD")).status == 410


async def test_folder_for_all_paths_answers_with_its_index(tmp_path):
    async with site(tmp_path, **{"try": ["$uri", "/missing/"]}) as served:
        served.write("missing/index.html", b"missing")
        for path in ("/missing", "/a", "/"):
            assert ((await served.get(path)).status, (await served.get(path)).body) == (200, b"missing")


async def test_candidates_lead_nowhere_outside(tmp_path):
    async with site(tmp_path, **{"try": ["$uri.txt", "/in$uri", "$uri/"]}) as served:
        served.write("../secret.txt", b"OUTSIDE")
        served.write("in/a", b"a")
        (served.folder / "out.txt").symlink_to("../secret.txt")
        (served.folder / "in" / "out").symlink_to("../../secret.txt")
        for path in (
            "/out",
            "/a%2f..%2fout",
            "/..%252fsecret",
            "/in/../out",
            "/%2e%2e/secret",
            "/..%2fsecret",
        ):
            async with served.proxy.client() as client:
                reply = await client.ask(get(path))
            assert reply.status in (400, 404), path
            assert b"OUTSIDE" not in reply.body


async def test_listing_names_what_can_be_reached_and_escapes_it(tmp_path):
    async with site(tmp_path, listing=True) as served:
        served.write("d/<script>alert(1)<.txt", b"12345")
        served.write("d/sub/x")
        served.write("d/.hidden")
        os.mkfifo(served.folder / "d/fifo")
        (served.folder / "d/out").symlink_to("/etc")
        page = await served.get("/d/")
        assert page[b"content-type"].startswith(b"text/html")
        assert b"<script>" not in page.body
        assert b'href="./%3Cscript%3Ealert%281%29%3C.txt"' in page.body
        for name in (b"hidden", b"fifo", b"out"):
            assert name not in page.body
        as_json = await served.get("/d/", "Accept: application/json")
        names = [(entry["name"], entry["type"]) for entry in json.loads(as_json.body)["entries"]]
        assert names == [("sub", "folder"), ("<script>alert(1)<.txt", "file")]
        assert as_json[b"vary"] == b"Accept"


async def test_listing_is_bounded_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("adc.proxy.files.root.MOST_ENTRIES", 3)
    async with site(tmp_path, listing=True) as served:
        for number in range(5):
            served.write(f"d/{number}")
        found = json.loads((await served.get("/d/", "Accept: application/json")).body)
        assert (len(found["entries"]), found["more"]) == (3, True)


async def test_strip_prefix_names_the_file_and_redirects_keep_the_prefix(tmp_path):
    route = {"match": {"path": "/static/"}, "rewrite": {"strip_prefix": "/static"}}
    async with site(tmp_path, route) as served:
        served.write("docs/index.html", b"docs")
        assert (await served.get("/static/docs/")).body == b"docs"
        assert (await served.get("/static/docs"))[b"location"] == b"/static/docs/"
        assert (await served.get("/static/static/docs/")).status == 404


async def test_paths_that_look_alike_behind_a_stripped_prefix_stay_apart(tmp_path):
    async with site(tmp_path, {"rewrite": {"strip_prefix": "/static"}}) as served:
        served.write("a.txt", b"outer")
        served.write("static/a.txt", b"inner")
        for _ in range(2):
            assert (await served.get("/static/static/a.txt")).body == b"inner"
            assert (await served.get("/static/a.txt")).body == b"outer"
            assert (await served.get("/a.txt")).body == b"outer"


async def test_own_types_charset_and_cache_control(tmp_path):
    async with site(
        tmp_path, types={".foo": "text/foo", "txt": "text/x"}, charset="euc-kr", cache_control="max-age=60"
    ) as served:
        for name, kind in (("a.foo", b"text/foo; charset=euc-kr"), ("a.TXT", b"text/x; charset=euc-kr")):
            served.write(name)
            reply = await served.get("/" + name)
            assert (reply[b"content-type"], reply[b"cache-control"]) == (kind, b"max-age=60")
        served.write("a.png")
        assert (await served.get("/a.png"))[b"content-type"] == b"image/png"


async def test_response_headers_and_cache_follow_the_files(tmp_path):
    route = {"cache": True, "response_headers": {"set": {"X-Site": "a"}}}
    async with site(tmp_path, route, cache_control="max-age=60") as served:
        served.write("a.txt", b"one")
        served.write("large.bin", LARGE)
        first, second = await served.get("/a.txt"), await served.get("/a.txt")
        assert b"hit" not in first[b"cache-status"]
        assert b"hit" in second[b"cache-status"]
        assert (second.body, second[b"x-site"]) == (b"one", b"a")
        for _ in range(2):
            reply = await served.get("/large.bin")
            assert reply.body == LARGE
        assert b"hit" in reply[b"cache-status"]
        part = await served.get("/large.bin", "Range: bytes=5-9")
        assert (part.status, part.body) == (206, LARGE[5:10])
        assert (await served.get("/none")).status == 404


async def test_request_content_is_not_in_the_way(plain):
    plain.write("a.txt", b"a")
    reply = await plain.client.ask(b"GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
    assert (reply.status, reply.body) == (200, b"a")
    assert (await plain.get("/a.txt")).body == b"a"


async def test_many_files_keep_descriptors_and_memory_bounded(plain, monkeypatch):
    monkeypatch.setattr("adc.proxy.files.open_files.MOST_DESCRIPTORS", 3)
    monkeypatch.setattr("adc.proxy.files.open_files.MOST_FILES", 6)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(8):
        plain.write(f"{number}.bin", LARGE[: 100_000 + number])
        plain.write(f"{number}.txt", b"%d" % number)
    for number in [*range(8), *range(8)]:
        assert (await plain.get(f"/{number}.bin")).body == LARGE[: 100_000 + number]
        assert (await plain.get(f"/{number}.txt")).body == b"%d" % number
    assert len(os.listdir("/proc/self/fd")) <= before + 5
    await asyncio.sleep(0)
