"""What a member shows on a connection of its own: announced and real idle close, age of its session cookie."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from typing import TYPE_CHECKING

from adc.config.timeouts import Seen

if TYPE_CHECKING:
    from adc.config.model.pools import Member, Pool

CONNECT_LIMIT = 5.0
_MOST = 1 << 20
_TIMEOUT = re.compile(rb"(?:^|,)\s*timeout=([0-9]{1,6})", re.IGNORECASE)
_MAX_AGE = re.compile(rb";\s*max-age=([0-9]{1,9})", re.IGNORECASE)


async def probe(pool: Pool, member: Member, patience: float) -> Seen:
    """Ask `member` once and see when it closes the connection, up to `patience` seconds.

    Raises OSError, TimeoutError, ValueError: it could not be asked.
    """
    reader, writer = await asyncio.wait_for(_connect(pool, member), CONNECT_LIMIT)
    try:
        writer.write(_request(pool, member))
        head = await asyncio.wait_for(_answer(reader), CONNECT_LIMIT + pool.keep_alive.idle)
        closed = await _idle_close(reader, patience)
    finally:
        writer.transport.abort()
    return Seen(_announced(head), closed, _cookie_age(pool, head))


async def _connect(pool: Pool, member: Member) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = member.address
    if address.path:
        return await asyncio.open_unix_connection(address.path)
    if pool.tls is None:
        return await asyncio.open_connection(address.host, address.port)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = (
        False,
        ssl.CERT_NONE,
    )  # nothing is sent that must stay secret
    return await asyncio.open_connection(address.host, address.port, ssl=context)


def _request(pool: Pool, member: Member) -> bytes:
    active = pool.health.active
    path = active.path if active is not None and active.path else "/"
    host = (active.host if active is not None else None) or member.address.host or "localhost"
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: adc doctor\r\n\r\n".encode()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The head of the answer; its content is read to the end. Raises ValueError if the end cannot be told."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        length = re.search(rb"\r\ncontent-length: *([0-9]{1,12})\r\n", lower)
        if b"\r\ntransfer-encoding: chunked\r\n" in lower:
            await reader.readuntil(b"0\r\n\r\n")
        elif length is not None and int(length[1]) <= _MOST:
            await reader.readexactly(int(length[1]))
        elif length is not None or not re.match(rb"http/1\.1 (204|304)", lower):
            raise ValueError("its answer is too long, or ends with the connection")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ValueError("it gave no complete answer") from error
    return head


async def _idle_close(reader: asyncio.StreamReader, patience: float) -> float | None:
    began = time.monotonic()
    try:
        async with asyncio.timeout(patience):
            await reader.read(1)
    except TimeoutError:
        return None
    except ConnectionError:
        pass
    return time.monotonic() - began


def _announced(head: bytes) -> float | None:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"keep-alive":
            found = _TIMEOUT.search(value)
            return float(found[1]) if found else None
    return None


def _cookie_age(pool: Pool, head: bytes) -> float | None:
    """Max-Age of the application's cookie that persistence rests on."""
    held = pool.persistence
    if held is None:
        return None
    cookie = held.learned.cookie if held.learned else None
    if held.cookie is not None and held.cookie.mode != "insert":
        cookie = held.cookie.name
    if cookie is None:
        return None
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"set-cookie" and value.strip().startswith(cookie.encode() + b"="):
            found = _MAX_AGE.search(value)
            return float(found[1]) if found else None
    return None
