"""The sample applications.

`python -m adc.cli.demo.applications` serves all on free ports, which it prints, until its input ends; with `--serve
NAME HOST:PORT` it serves one, until it is terminated.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import jinja2
from aiohttp import WSMsgType, web

FOLDER = Path(__file__).with_name("pages")
MEMBERS = ("blue-1", "blue-2", "green-1")
NAME = web.AppKey("name", str)
UPLOAD_LIMIT = 64 * 1024 * 1024
LONGEST_WAIT = 30.0
EVENTS = 60
USERS = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}, {"id": 3, "name": "Margaret"}]


def application(name: str) -> web.Application:
    """Return one application; its `name` is in every answer, so that one sees which member gave it."""
    app = web.Application(client_max_size=UPLOAD_LIMIT)
    app[NAME] = name
    app.add_routes(
        [
            web.get("/", welcome),
            web.get("/healthz", healthy),
            web.get("/users", users),
            web.get("/users/{number:[0-9]{1,6}}", user),
            web.get("/slow", slow),
            web.get("/events", events),
            web.get("/echo", echo),
            web.post("/upload", upload),
            web.static("/static", FOLDER),
            web.get("/{path:.*}", page),
        ]
    )
    return app


async def welcome(request: web.Request) -> web.Response:
    """Respond with the page that lists examples to try."""
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(FOLDER), autoescape=True)
    admin = os.environ.get("ADC_DEMO_ADMIN", "127.0.0.1:9901")
    text = templates.get_template("welcome.html.j2").render(
        name=request.app[NAME], host=request.host, admin=admin
    )
    return web.Response(text=text, content_type="text/html")


async def page(request: web.Request) -> web.Response:
    """Say which member answers, and what reached it."""
    fields = "".join(f"  {name}: {value}\n" for name, value in request.headers.items())
    return web.Response(text=f"{request.app[NAME]} got {request.method} {request.raw_path}\n{fields}")


async def healthy(request: web.Request) -> web.Response:
    """Respond to active health checks."""
    return web.Response(text="ok\n")


async def users(request: web.Request) -> web.Response:
    """Respond with a list in JSON."""
    return web.json_response({"served_by": request.app[NAME], "path": request.path, "users": USERS})


async def user(request: web.Request) -> web.Response:
    """Respond with one entry of the list."""
    wanted = int(request.match_info["number"])
    found = next((each for each in USERS if each["id"] == wanted), None)
    return web.json_response(found or {"error": "no such user"}, status=200 if found else 404)


async def slow(request: web.Request) -> web.Response:
    """Answer after `?seconds=`."""
    try:
        seconds = min(max(float(request.query.get("seconds", "2")), 0.0), LONGEST_WAIT)
    except ValueError:
        raise web.HTTPBadRequest(text="seconds is a number\n") from None
    await asyncio.sleep(seconds)
    return web.Response(text=f"{request.app[NAME]} waited {seconds:g} s\n")


async def upload(request: web.Request) -> web.Response:
    """Count a body without keeping it."""
    size = 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
    return web.json_response({"served_by": request.app[NAME], "bytes": size})


async def events(request: web.Request) -> web.StreamResponse:
    """Send server-sent events, one a second."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionResetError):  # the reader has gone
        for number in range(EVENTS):
            await response.write(f"id: {number}\ndata: tick {number} of {request.app[NAME]}\n\n".encode())
            await asyncio.sleep(1)
    return response


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Echo every message of a WebSocket."""
    socket = web.WebSocketResponse(heartbeat=30)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(f"{request.app[NAME]}: {message.data}")
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


async def serve_all() -> None:
    """Serve every application on a free port until standard input ends."""
    addresses = {}
    for name in MEMBERS:
        runner = web.AppRunner(application(name), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        addresses["ADC_DEMO_" + name.upper().replace("-", "_")] = f"{host}:{port}"
    print(json.dumps(addresses), flush=True)
    await asyncio.to_thread(sys.stdin.read)


def main(arguments: list[str]) -> None:
    """Serve until the process is ended."""
    match arguments:
        case []:
            asyncio.run(serve_all())
        case ["--serve", name, address]:
            host, _, port = address.rpartition(":")
            web.run_app(application(name), host=host, port=int(port), access_log=None, print=None)
        case _:
            sys.exit("usage: python -m adc.cli.demo.applications [--serve NAME HOST:PORT]")


if __name__ == "__main__":
    main(sys.argv[1:])
