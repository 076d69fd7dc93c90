"""A plain reverse proxy of aiohttp's parts: aiohttp_proxy.py PORT ORIGIN_PORT LOG."""

import asyncio
import logging
import sys

import uvloop
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
LOG_FORMAT = '%a - - %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"'


async def serve(port: int, origin: str) -> None:
    async def forward(request: web.BaseRequest) -> web.StreamResponse:
        headers = request.headers.copy()
        for name in HOP_BY_HOP:
            headers.popall(name, None)
        headers["Via"] = "1.1 aiohttp"
        headers["X-Forwarded-For"] = request.remote or ""
        headers["X-Forwarded-Host"] = request.host
        body = request.content if request.body_exists else None
        url = origin + request.raw_path
        sent = session.request(request.method, url, headers=headers, data=body, allow_redirects=False)
        async with sent as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            response.content_length = answer.content_length
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    timeout, connector = ClientTimeout(connect=2, sock_read=30), TCPConnector(limit=0)
    jar = DummyCookieJar()
    async with ClientSession(
        connector=connector, timeout=timeout, cookie_jar=jar, auto_decompress=False
    ) as session:
        server = web.Server(forward, keepalive_timeout=75, access_log_format=LOG_FORMAT)
        await asyncio.get_running_loop().create_server(server, "127.0.0.1", port, backlog=4096)
        await asyncio.Event().wait()


logging.basicConfig(filename=sys.argv[3], level=logging.INFO, format="%(message)s")
uvloop.run(serve(int(sys.argv[1]), f"http://127.0.0.1:{sys.argv[2]}"))
