"""Measures a member on its own connection: announced and real idle close, lifetime of its session cookie."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from adc.config.timeouts import Seen
from adc.http.dates import parse_http_date
from adc.http.fields import tokens
from adc.http.set_cookie import parse_set_cookie

if TYPE_CHECKING:
    from adc.config.model.pools import Member, Pool

CONNECT_LIMIT = 5.0
_MOST = 1 << 20
_TIMEOUT = re.compile(rb"(?:^|,)\s*timeout=([0-9]{1,6})", re.IGNORECASE)
_NUMBER = re.compile(rb"[0-9]{1,9}")
_DASHES = re.compile(rb"([0-9]{2})-([A-Za-z]{3})-(?=[0-9]{4})")
"""A date such as `Wed, 21-Oct-2026`, which no HTTP field may have but many cookies do."""


class Question(NamedTuple):
    """One request to send to a member."""

    path: str
    host: str


async def probe(pool: Pool, member: Member, questions: Sequence[Question], patience: float) -> Seen:
    """Send `member` the first of `questions` and see when it closes the connection, up to `patience` seconds; send the
    others, each on a new connection, until one sets the session cookie.

    Raises OSError, TimeoutError, ValueError: the member could not be measured.
    """
    reader, writer = await asyncio.wait_for(_connect(pool, member), CONNECT_LIMIT)
    try:
        head = await _ask(reader, writer, questions[0], pool)
        announced = _announced(head)
        closed = None if announced == 0.0 else await _idle_close(reader, patience)
    finally:
        writer.transport.abort()
    cookie = session_cookie(pool)
    age = None if cookie is None else _cookie_age(cookie, head)
    if cookie is not None and age is None:
        age = await _cookie_elsewhere(pool, member, questions[1:], cookie)
    return Seen(announced, closed, age)


async def _cookie_elsewhere(
    pool: Pool, member: Member, questions: Sequence[Question], cookie: str
) -> float | None:
    for question in questions:
        try:
            reader, writer = await asyncio.wait_for(_connect(pool, member), CONNECT_LIMIT)
        except OSError:
            return None
        try:
            age = _cookie_age(cookie, await _ask(reader, writer, question, pool))
        except (OSError, ValueError):
            continue
        finally:
            writer.transport.abort()
        if age is not None:
            return age
    return None


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, question: Question, pool: Pool
) -> bytes:
    head = f"GET {question.path} HTTP/1.1\r\nHost: {question.host}\r\nUser-Agent: adc doctor\r\n\r\n"
    writer.write(head.encode())
    return await asyncio.wait_for(_answer(reader), CONNECT_LIMIT + pool.keep_alive.idle)


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


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Return the head of the response; its content is read to the end. Raises ValueError if its end is unclear."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        length = re.search(rb"\r\ncontent-length: *([0-9]{1,12})\r\n", lower)
        if b"\r\ntransfer-encoding: chunked\r\n" in lower:
            await reader.readuntil(b"0\r\n\r\n")
        elif length is not None and int(length[1]) <= _MOST:
            await reader.readexactly(int(length[1]))
        elif length is not None:
            raise ValueError("its response is too long")
        elif _announced(head) != 0.0 and not re.match(rb"http/1\.1 (204|304)", lower):
            raise ValueError("its response ends with the connection without announcing it")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise ValueError("it sent no complete response") from error
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
    """Return seconds for which the member keeps the connection, as it says; 0 if it says that it closes it."""
    connection = tokens(b",".join(_fields(head, b"connection")))
    old = head.startswith(b"HTTP/1.0") and b"keep-alive" not in connection
    if old or b"close" in connection:
        return 0.0
    found = [_TIMEOUT.search(value) for value in _fields(head, b"keep-alive")]
    return next((float(each[1]) for each in found if each), None)


def session_cookie(pool: Pool) -> str | None:
    """Return the name of the application's cookie that persistence rests on; None if it rests on none."""
    persistence = pool.persistence
    if persistence is None:
        return None
    if persistence.cookie is not None and persistence.cookie.mode != "insert":
        return persistence.cookie.name
    return persistence.learned.cookie if persistence.learned else None


def _cookie_age(cookie: str, head: bytes) -> float | None:
    """Return seconds that the cookie lives: its Max-Age, else its Expires (RFC 6265 section 5.3)."""
    for value in _fields(head, b"set-cookie"):
        found = parse_set_cookie(value)
        if found is None or found.name != cookie.encode():
            continue
        attributes = {
            name.strip().lower(): text.strip()
            for name, _, text in (each.partition(b"=") for each in found.attributes.split(b";"))
        }
        if _NUMBER.fullmatch(attributes.get(b"max-age", b"")):
            return float(attributes[b"max-age"])
        return _time_left(attributes.get(b"expires", b""), head)
    return None


def _time_left(expires: bytes, head: bytes) -> float | None:
    now = time.time()
    dates = [parse_http_date(value, now) for value in _fields(head, b"date")]
    dated = dates[0] if dates and dates[0] is not None else now
    end = parse_http_date(_DASHES.sub(rb"\1 \2 ", expires), now)
    return None if end is None else max(end - dated, 0.0)


def _fields(head: bytes, wanted: bytes) -> list[bytes]:
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return [value.strip() for name, _, value in lines if name.lower() == wanted]
