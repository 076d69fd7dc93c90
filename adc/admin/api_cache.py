"""`/api/v1/cache`: what the caches hold, purging, and why a URL is served as it is."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from adc.admin.node import Node
from adc.admin.responses import PROBLEMS, answer, problem, read_object

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
"""`token` of RFC 9110 section 5.6.2."""

SCOPES = ("url", "prefix", "tag")


def routes(node: Node) -> list[web.RouteDef]:
    """The routes of this subject."""

    async def stats(request: web.Request) -> web.Response:
        try:
            return answer(await node.cache_stats())
        except PROBLEMS as error:
            return problem(error)

    async def purge(request: web.Request) -> web.Response:
        wanted = _purge(await read_object(request))
        try:
            return answer(await node.purge_cache(wanted))
        except PROBLEMS as error:
            return problem(error)

    async def why(request: web.Request) -> web.Response:
        if "url" not in request.query:
            raise web.HTTPBadRequest(text="say which: ?url=http://host/path\n")
        method = request.query.get("method", "GET")
        if not TOKEN.fullmatch(method):
            raise web.HTTPBadRequest(text="method is a token, such as GET\n")
        headers = dict(_field(text) for text in request.query.getall("header", []))
        wanted = {"url": request.query["url"], "method": method, "headers": headers}
        try:
            return answer(await node.why_cached(wanted))
        except PROBLEMS as error:
            return problem(error)

    return [
        web.get("/api/v1/cache", stats),
        web.post("/api/v1/cache/purge", purge),
        web.get("/api/v1/cache/why", why),
    ]


def _purge(body: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a purge. Raises HTTPBadRequest."""
    soft, store = body.pop("soft", False), body.pop("store", None)
    if body == {"all": True}:
        scope, target = "all", ""
    else:
        scope, target = next(iter(body.items()), ("", ""))
    wrong = len(body) != 1 or (scope != "all" and scope not in SCOPES) or not isinstance(target, str)
    if wrong or not isinstance(soft, bool) or not isinstance(store, str | None):
        raise web.HTTPBadRequest(
            text='say what: {"url": ...}, {"prefix": ...}, {"tag": ...} or {"all": true}\n'
        )
    if not target and scope != "all":
        raise web.HTTPBadRequest(text=f"{scope} is empty\n")
    return {"scope": scope, "target": target, "soft": soft, "store": store}


def _field(text: str) -> tuple[str, str]:
    """Name and value of one field. Raises HTTPBadRequest."""
    name, _, value = text.partition(":")
    if not TOKEN.fullmatch(name.strip()):
        raise web.HTTPBadRequest(text="header is a field: name: value\n")
    return name.strip(), value.strip()
