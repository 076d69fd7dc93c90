"""The operations of a running node: a route for each that has a path."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from adc.admin.node import Node
from adc.admin.responses import PROBLEMS, answer, problem, read_object
from adc.runtime.operations.convert import to_json
from adc.runtime.operations.operation import Operation
from adc.runtime.operations.place import read_request
from adc.runtime.operations.registry import all_operations


def routes(node: Node) -> list[web.RouteDef]:
    """Return the routes of all operations."""
    return [_route(node, operation) for operation in all_operations().values() if operation.path]


def _route(node: Node, operation: Operation[Any, Any]) -> web.RouteDef:
    async def carry_out(request: web.Request) -> web.Response:
        body = await read_object(request)
        try:
            asked = read_request(operation, request.match_info, request.query.items(), body)
        except ValueError as error:
            return answer({"error": str(error)}, 400)
        try:
            return answer(to_json(await node.ask(operation, asked)))
        except PROBLEMS as error:
            return problem(error)

    return web.route(operation.method, operation.path, carry_out)
