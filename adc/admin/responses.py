"""Answers of the API: JSON, errors too."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from adc.runtime.operations.operation import NotFound, Refused, Unavailable

MAX_BODY = 64 * 1024


def answer(value: Any, status: int = 200) -> web.Response:
    """Return `value` as JSON with a line end, so that it reads well in a terminal."""
    return web.Response(
        text=json.dumps(value, indent=1) + "\n", status=status, content_type="application/json"
    )


def problem(error: Exception) -> web.Response:
    """Return the answer to a request that the node refused or could not carry out."""
    status = 404 if isinstance(error, NotFound) else 503 if isinstance(error, Unavailable) else 409
    return answer({"error": str(error)}, status)


async def read_object(request: web.Request) -> dict[str, Any]:
    """Return the JSON object in the body; an empty body is an empty object. Raises HTTPBadRequest."""
    try:
        data = await request.read()
    except (web.RequestPayloadError, HttpProcessingError):
        raise web.HTTPBadRequest(text="the body cannot be read\n") from None
    if not data:
        return {}
    try:
        value = json.loads(data.decode())
        json.dumps(value, ensure_ascii=False).encode()  # which lone surrogates cannot be
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(text="the body is not JSON in UTF-8\n") from None
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object\n")
    return value


PROBLEMS = (Refused, Unavailable)
