"""`/`: one plain page with the state of workers, listeners and members."""

from __future__ import annotations

from pathlib import Path

import jinja2
from aiohttp import web

from adc.admin.node import Node
from adc.admin.responses import PROBLEMS, problem
from adc.runtime.operations import members
from adc.runtime.operations.operation import NOTHING

FOLDER = Path(__file__).with_name("templates")
STYLE = (FOLDER / "style.css").read_text()


def routes(node: Node) -> list[web.RouteDef]:
    """Return the routes of this subject."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        enable_async=False,
    )

    async def overview(request: web.Request) -> web.Response:
        try:
            status, rows = await node.status(), await node.ask(members.LIST, NOTHING)
        except PROBLEMS as error:
            return problem(error)
        page = templates.get_template("overview.html.j2").render(status=status, members=rows)
        return web.Response(text=page, content_type="text/html")

    async def style(request: web.Request) -> web.Response:
        return web.Response(text=STYLE, content_type="text/css")

    return [web.get("/", overview), web.get("/style.css", style)]
