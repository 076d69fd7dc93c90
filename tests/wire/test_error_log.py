"""One error log of supervisor and workers: its format follows a reload, its file a rotation."""

import asyncio
import json
import signal

import pytest

from tests.wire.service import until

CONFIG = """
workers: WORKERS
listeners: [{name: web, bind: "@web"}]
routes: [{respond: {status: 200, body: ok}}]
admin: {bind: "@admin"}
error_log: {path: FILE, format: FORMAT}
"""


async def refused(service):
    """Have a worker log that it refused a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nHost: \x1b[2J\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()


def write(service, workers, style):
    text = CONFIG.replace("WORKERS", str(workers)).replace("FORMAT", style)
    service.write(text.replace("FILE", str(service.folder / "error.log")))


def is_json(line):
    return {"ts", "level", "event"} <= json.loads(line).keys()


async def has(file, *words):
    """Wait until all `words` are in `file`; return its lines."""

    async def written():
        return file.exists() and all(word in file.read_text() for word in words)

    await until(written)
    return file.read_text().splitlines()


@pytest.mark.parametrize("workers", [0, 2])
async def test_format_and_rotation_apply_in_supervisor_and_workers(service, workers):
    file = service.folder / "error.log"
    write(service, workers, "text")
    await service.started()
    await refused(service)
    lines = await has(file, " serving ", " request_refused ")
    assert not any(line.startswith("{") for line in lines)

    rotated = file.rename(service.folder / "error.log.1")
    service.signal(signal.SIGUSR1)
    await until(lambda: asyncio.sleep(0, file.exists()))
    write(service, workers, "json")
    service.signal(signal.SIGHUP)
    await service.told("RELOADING=1")
    await service.told("READY=1")
    await refused(service)
    lines = await has(file, '"event":"reloaded"', '"event":"request_refused"')
    assert all(map(is_json, lines))
    assert "reloaded" not in rotated.read_text()
