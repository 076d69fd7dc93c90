"""Malformed admin requests are rejected with 400 and a message before any handler sees them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from aiohttp import web

from adc.admin.guard import Reply
from adc.telemetry.event_log import EventLog

log = EventLog(__name__)


http_log = logging.getLogger("adc.admin.http")
"""The logger of the HTTP server itself."""


@web.middleware
async def well_formed(request: web.Request, handler: Reply) -> web.StreamResponse:
    """Reject a path or query that is not UTF-8 text; an unexpected error is one event in the log, and 500."""
    try:
        require_text([request.path, *request.query.keys(), *request.query.values()])
        return await handler(request)
    except web.HTTPException:
        raise
    except UnicodeError:
        raise web.HTTPBadRequest(text="the request is not UTF-8 text\n") from None
    except ConnectionError:
        raise
    except Exception as error:
        log.error("admin_request_failed", method=request.method, path=request.path, error=repr(error))
        raise web.HTTPInternalServerError(
            text="the request failed; the reason is in the error log\n"
        ) from error


def require_text(texts: Iterable[str]) -> None:
    """Raise HTTPBadRequest if one of `texts` was not UTF-8, or has control characters."""
    for text in texts:
        if any(
            "\ud800" <= char <= "\udfff" or char == "\ufffd" or char < " " or char == "\x7f" for char in text
        ):
            raise web.HTTPBadRequest(
                text="the request has bytes that are not UTF-8 text, or control characters\n"
            )
