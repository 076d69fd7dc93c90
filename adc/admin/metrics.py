"""`/metrics`: the counters of all workers as one, in the Prometheus text format."""

from __future__ import annotations

from aiohttp import web

from adc.admin.node import Node
from adc.telemetry.samples import CONTENT_TYPE, exposition, merge


def routes(node: Node) -> list[web.RouteDef]:
    """Return the route of this subject."""

    async def metrics(request: web.Request) -> web.Response:
        text = exposition(merge(await node.samples()))
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    return [web.get("/metrics", metrics)]
