"""`/api/v1/members`: the state of members, and an operator's say in it."""

from __future__ import annotations

from aiohttp import web

from adc.admin.node import MEMBER_STATES, Node
from adc.admin.responses import PROBLEMS, answer, problem, read_object


def routes(node: Node) -> list[web.RouteDef]:
    """The routes of this subject."""

    async def members(request: web.Request) -> web.Response:
        try:
            return answer(await node.members())
        except PROBLEMS as error:
            return problem(error)

    async def set_member(request: web.Request) -> web.Response:
        state = (await read_object(request)).get("state")
        if state not in MEMBER_STATES:
            return answer({"error": f"state is one of: {', '.join(MEMBER_STATES)}"}, 400)
        pool, member = request.match_info["pool"], request.match_info["member"]
        try:
            await node.set_member(pool, member, state)
        except PROBLEMS as error:
            return problem(error)
        return answer({"pool": pool, "member": member, "state": state})

    return [
        web.get("/api/v1/members", members),
        web.post("/api/v1/members/{pool}/{member:.+}", set_member),
    ]
