"""`/api/v1/status`, `/api/v1/routes`, `/api/v1/reload`, and the probes `/livez`, `/readyz`, `/healthz`."""

from __future__ import annotations

from aiohttp import web

from adc.admin.node import Node
from adc.admin.responses import answer


def routes(node: Node) -> list[web.RouteDef]:
    """Return the routes of this subject."""

    async def status(request: web.Request) -> web.Response:
        return answer(await node.status())

    async def route_list(request: web.Request) -> web.Response:
        return answer(node.routes())

    async def reload(request: web.Request) -> web.Response:
        result = await node.reload()
        return answer(result.as_json(), 200 if result.ok else 409)

    async def alive(request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(request: web.Request) -> web.Response:
        reasons = node.unready()
        if reasons:
            return web.Response(text="".join(f"{reason}\n" for reason in reasons), status=503)
        return web.Response(text="ok\n")

    return [
        web.get("/api/v1/status", status),
        web.get("/api/v1/routes", route_list),
        web.post("/api/v1/reload", reload),
        web.get("/healthz", alive),
        web.get("/livez", alive),
        web.get("/readyz", ready),
    ]
