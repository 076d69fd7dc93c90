"""Cache-Status (RFC 9211): the action of this cache, as one member to append to the field."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile(r"[^ -~]")
MAX_DETAIL = 120


def hit(name: str, ttl: float, detail: str = "") -> bytes:
    """Return the entry for a stored response. `ttl` is the freshness left, negative if it is stale."""
    return f"{name};hit;ttl={whole(ttl)}{_detail(detail)}".encode()


def whole(ttl: float) -> int:
    """Return `ttl` in whole seconds, never 0: with the whole seconds of `Age` it adds up to the lifetime while the
    response is fresh, and it is negative as soon as that is stale."""
    return -int(-ttl // 1) if ttl > 0 else min(int(ttl // 1), -1)


def forwarded(
    name: str,
    why: str,
    *,
    status: int | None = None,
    stored: bool = False,
    collapsed: bool = False,
    ttl: float | None = None,
    detail: str = "",
) -> bytes:
    """Return the entry for a request that was forwarded. `why` is a `fwd` value of RFC 9211 section 2.2, `status` the
    member's status; `stored` is True if the response is kept, `collapsed` if it shared another request's fetch."""
    text = f"{name};fwd={why}"
    if status is not None:
        text += f";fwd-status={status}"
    if stored:
        text += ";stored"
    if collapsed:
        text += ";collapsed"
    if ttl is not None:
        text += f";ttl={whole(ttl)}"
    return (text + _detail(detail)).encode()


def refused(name: str, detail: str) -> bytes:
    """Return the entry for a response of the cache without a stored response (only-if-cached)."""
    return f"{name}{_detail(detail)}".encode()


def _detail(text: str) -> str:
    if not text:
        return ""
    plain = _UNPRINTABLE.sub("?", text[:MAX_DETAIL]).replace("\\", "\\\\").replace('"', '\\"')
    return f';detail="{plain}"'
