"""gunicorn and copyparty answer an upload that they do not want before they have read it, and close."""

import asyncio
import contextlib

import pytest

from tests.apps.application import application, browser, free_port, installed

pytestmark = [installed, pytest.mark.timeout(180)]

BODY = b"x" * 1_000_000
UPLOADS = 60
APPLICATION = """
def app(environ, start_response):
    if environ["REQUEST_METHOD"] == "GET":
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]
    status = "413 Too Large" if environ["PATH_INFO"] == "/large" else "401 Unauthorized"
    start_response(status, [("Content-Length", "5")])
    return [b"login"]
"""


async def status_of_upload(port, path):
    """Send the whole content, as curl does, and then look for the response; 0 if there is none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(BODY)}\r\n\r\n"
    try:
        with contextlib.suppress(OSError):
            writer.write(head.encode() + BODY)
        line = await asyncio.wait_for(reader.readline(), 20)
        return int(line.split()[1]) if line else 0
    except OSError:
        return 0
    finally:
        writer.close()


async def statuses(session, path):
    port = session._base_url.port
    found = []
    for _ in range(UPLOADS // 6):
        found += await asyncio.gather(*[status_of_upload(port, path) for _ in range(6)])
    return found


@pytest.mark.parametrize(("path", "status"), [("/", 401), ("/large", 413)])
async def test_every_upload_to_gunicorn_gets_its_answer(tmp_path, path, status):
    (tmp_path / "early.py").write_text(APPLICATION)
    port = free_port()
    command = ["--workers", "2", "--bind", f"127.0.0.1:{port}", "--chdir", str(tmp_path), "early:app"]
    async with application(tmp_path, "gunicorn", *command, port=port), browser(tmp_path, port) as session:
        assert await statuses(session, path) == [status] * UPLOADS
        async with session.get("/") as answer:
            assert answer.status == 200


async def test_every_upload_to_copyparty_gets_its_answer(tmp_path):
    (tmp_path / "shared").mkdir()
    port = free_port()
    command = [
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-a",
        "me:secret",
        "-v",
        f"{tmp_path}/shared::r:rw,me",
        "-q",
    ]
    async with (
        application(tmp_path, "python", "-m", "copyparty", *command, port=port),
        browser(tmp_path, port) as session,
    ):
        found = await statuses(session, "/file.bin")
        assert set(found) <= {401, 403}, found
        async with session.get("/") as answer:
            assert answer.status == 200
