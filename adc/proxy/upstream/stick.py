"""The effect of a response on the pin of the client that gets it."""

from __future__ import annotations

from adc.http.message import Response
from adc.proxy.upstream.request import UpstreamRequest


def stick(upstream: UpstreamRequest, response: Response) -> None:
    """Let the persistence of the pool learn from the response, or add to it.

    This is the last response stage of routes to pools with persistence: after a cache has taken its copy, so that what
    belongs to one client is never stored. Responses that no member gave just now pass as they are.
    """
    attempt, assignment = upstream.attempt, upstream.assignment
    member = None if attempt is None else attempt.responder
    if member is not None and assignment is not None:
        wall = upstream.context.clock.wall
        assignment.answered(upstream.request, response.headers, member.pool, member.address, wall)
