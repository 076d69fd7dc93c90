"""Wagtail behind a real `adc run`: login with CSRF token and cookies, static files, an upload."""

import io
import random
import re
import struct
import zlib

import aiohttp
import pytest

from tests.apps.application import application, browser, command, installed
from tests.kit.ports import free_port

NAME, PASSWORD = "editor", "a-password-of-the-test"
pytestmark = [installed, pytest.mark.timeout(180)]


@pytest.fixture
async def session(tmp_path):
    command("wagtail", "start", "site_of_test", str(tmp_path), cwd=tmp_path)
    command("python", "manage.py", "migrate", "--verbosity=0", cwd=tmp_path)
    user = {"DJANGO_SUPERUSER_USERNAME": NAME, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    arguments = ["createsuperuser", "--noinput", "--email=editor@example.com"]
    command("python", "manage.py", *arguments, cwd=tmp_path, **user)
    port = free_port()
    serve = ["manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    async with application(tmp_path, "python", *serve, port=port), browser(tmp_path, port) as session:
        yield session


async def test_log_in_load_static_files_and_upload_an_image(session):
    assert (await session.get("/")).status == 200
    refused = await session.get("/admin/", allow_redirects=False)
    assert (refused.status, refused.headers["Location"]) == (302, "/admin/login/?next=/admin/")

    page = await (await session.get("/admin/login/")).text()
    form = {"username": NAME, "password": PASSWORD, "next": "/admin/"}
    assert (await session.post("/admin/login/", data=form)).status == 403  # without the token
    answer = await session.post("/admin/login/", data=form | {"csrfmiddlewaretoken": token(page)})
    page = await answer.text()
    assert (answer.status, answer.url.path) == (200, "/admin/")
    assert NAME in page

    static = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(static) >= 5
    for path in static:
        loaded = await session.get(path)
        content = await loaded.read()
        assert (loaded.status, len(content)) == (200, int(loaded.headers["Content-Length"])), path

    page = await (await session.get("/admin/images/add/")).text()
    image = png(900, 700)
    upload = aiohttp.FormData({"csrfmiddlewaretoken": token(page), "title": "A picture", "tags": ""})
    collection = re.search(r'name="collection"[^>]*value="(\d+)"', page)
    if collection:
        upload.add_field("collection", collection[1])
    upload.add_field("file", io.BytesIO(image), filename="picture.png", content_type="image/png")
    answer = await session.post("/admin/images/add/", data=upload)
    page = await answer.text()
    assert (answer.status, answer.url.path) == (200, "/admin/images/")
    assert "A picture" in page
    original = await session.get("/media/original_images/picture.png")
    assert await original.read() == image


def token(page):
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]


def png(width, height):
    """A grey picture that does not compress, so that the upload takes many reads."""
    noise = random.Random(1)
    rows = b"".join(b"\0" + noise.randbytes(width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
