"""JupyterLab behind a real `adc run`: login, static files, a kernel over its WebSocket."""

import json
import re
import uuid

import aiohttp
import pytest

from tests.apps.application import application, browser, installed
from tests.kit.ports import free_port

TOKEN = "a-token-of-the-test"
pytestmark = [installed, pytest.mark.timeout(180)]


@pytest.fixture
async def session(tmp_path):
    port = free_port()
    arguments = [
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={tmp_path}",
        "--ServerApp.allow_root=True",
    ]
    async with (
        application(tmp_path, "jupyter-lab", *arguments, port=port),
        browser(tmp_path, port) as session,
    ):
        yield session


async def test_log_in_load_the_page_and_run_code_in_a_kernel(session):
    assert (await session.get("/api/kernels")).status == 403
    page = await session.get("/login")
    form = {"password": TOKEN, "_xsrf": xsrf(session)}
    answer = await session.post("/login?next=%2Flab", data=form)
    assert (answer.status, answer.url.path) == (200, "/lab")
    page = await answer.text()

    static = re.findall(r'(?:src|href)="(/(?:static|lab|custom)/[^"]+\.(?:js|css|ico)[^"]*)"', page)
    assert static
    for path in static:
        loaded = await session.get(path)
        content = await loaded.read()
        assert (loaded.status, len(content) > 0) == (200, True), path

    started = await session.post("/api/kernels", json={}, headers={"X-XSRFToken": xsrf(session)})
    assert started.status == 201
    kernel = (await started.json())["id"]
    async with session.ws_connect(f"/api/kernels/{kernel}/channels", max_msg_size=0) as socket:
        for code, wanted in (("print(6 * 7)", "42\n"), ("print('x' * 500_000)", "x" * 500_000 + "\n")):
            assert await output_of(socket, code) == wanted
    stopped = await session.delete(f"/api/kernels/{kernel}", headers={"X-XSRFToken": xsrf(session)})
    assert stopped.status == 204


async def test_a_stranger_gets_no_kernel(session):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await session.ws_connect(f"/api/kernels/{uuid.uuid4()}/channels")
    assert refused.value.status in (403, 404)


def xsrf(session):
    return next(cookie.value for cookie in session.cookie_jar if cookie.key == "_xsrf")


async def output_of(socket, code):
    """What `code` prints; Jupyter's messaging protocol 5.3."""
    header = {"msg_id": uuid.uuid4().hex, "username": "u", "session": uuid.uuid4().hex}
    header |= {"msg_type": "execute_request", "version": "5.3", "date": "2000-01-01T00:00:00Z"}
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}}
    content |= {"allow_stdin": False, "stop_on_error": True}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await socket.send_str(json.dumps(message))
    printed = []
    async for frame in socket:
        told = json.loads(frame.data)
        if told["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        if told["msg_type"] == "stream":
            printed.append(told["content"]["text"])
        if told["msg_type"] == "error":
            pytest.fail("\n".join(told["content"]["traceback"]))
        if told["msg_type"] == "status" and told["content"]["execution_state"] == "idle":
            break
    return "".join(printed)
