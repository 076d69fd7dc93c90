"""Requests that cannot be meant are refused with 400 and a message before anything looks at them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from aiohttp import web

from adc.admin.guard import Reply

log = logging.getLogger(__name__)


class _OneLine(logging.Filter):
    """Makes a line of what aiohttp writes with a traceback: what a client sends is no fault of the program."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            text = f"{text}: {type(error).__name__}: {str(error)[:200]!r}"
        record.msg, record.args, record.exc_info = f"admin: {text!a}", (), None
        return True


http_log = logging.getLogger("adc.admin.http")
"""The logger of the HTTP server itself."""

http_log.addFilter(_OneLine())


@web.middleware
async def well_formed(request: web.Request, handler: Reply) -> web.StreamResponse:
    """Refuse a path or query that is no UTF-8 text; an error that nobody foresaw is one line of the log, and 500."""
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
        log.error("admin: %s %r failed: %s: %s", request.method, request.path, type(error).__name__, error)
        raise web.HTTPInternalServerError(text="the request failed; the error log says why\n") from error


def require_text(texts: Iterable[str]) -> None:
    """Raise HTTPBadRequest if one of `texts` was not UTF-8, or has control characters."""
    for text in texts:
        if any(
            "\ud800" <= char <= "\udfff" or char == "\ufffd" or char < " " or char == "\x7f" for char in text
        ):
            raise web.HTTPBadRequest(
                text="the request has bytes that are not UTF-8 text, or control characters\n"
            )
