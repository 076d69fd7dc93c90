"""`/api/v1/sessions`: who is pinned where, and forgetting it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from aiohttp import web

from adc.admin.node import Node
from adc.admin.responses import PROBLEMS, answer, problem


def _seconds(text: str) -> float:
    """Read a finite number. Raises ValueError."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_READ: dict[str, Callable[[str], Any]] = {
    "pool": str,
    "client": str,
    "member": str,
    "min_age": _seconds,
    "max_age": _seconds,
    "limit": int,
    "cursor": str,
}
"""Query parameters; ages are in seconds."""

_NARROWING = ("pool", "client", "member", "min_age", "max_age")


def routes(node: Node) -> list[web.RouteDef]:
    """The routes of this subject."""

    async def sessions(request: web.Request) -> web.Response:
        try:
            return answer(await node.sessions(_wanted(request)))
        except PROBLEMS as error:
            return problem(error)

    async def drop(request: web.Request) -> web.Response:
        wanted = _wanted(request, "all")
        everything = wanted.pop("all", "") == "true"
        if everything == any(name in wanted for name in _NARROWING):
            return answer({"error": f"say which: all=true, or some of {', '.join(_NARROWING)}"}, 400)
        try:
            return answer(await node.drop_sessions(wanted))
        except PROBLEMS as error:
            return problem(error)

    return [web.get("/api/v1/sessions", sessions), web.delete("/api/v1/sessions", drop)]


def _wanted(request: web.Request, *more: str) -> dict[str, Any]:
    """The parameters of the query. Raises HTTPBadRequest."""
    wanted: dict[str, Any] = {}
    for name, text in request.query.items():
        if name not in _READ and name not in more:
            raise web.HTTPBadRequest(text=f"unknown parameter {name}; known: {', '.join(_READ)}\n")
        try:
            wanted[name] = _READ.get(name, str)(text)
        except ValueError:
            raise web.HTTPBadRequest(text=f"{name} is a number\n") from None
    if not 1 <= wanted.get("limit", 1) <= 1000:
        raise web.HTTPBadRequest(text="limit is a number from 1 to 1000\n")
    return wanted
