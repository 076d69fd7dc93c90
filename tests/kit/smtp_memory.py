"""A client connection of a mail listener without sockets: bytes in, bytes out, and the messages that a member got."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from adc.net.clock import Clock
from adc.net.handshake import Handshake
from adc.net.listener_state import ListenerState
from adc.sessions.table import SessionTable
from adc.smtp.auth import ACCEPTED, REJECTED
from adc.smtp.connection import SmtpConnection
from adc.smtp.replies import Reply, reply_of
from adc.smtp.routing import MailMatch, MailRoute
from adc.smtp.settings import SmtpSettings

ROUNDS = 2000
"""Iterations of the loop after which a connection that still works counts as hanging."""


class MemoryTransport(asyncio.Transport):
    """Keeps what is written. `reading` is False while the connection does not want more."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.protocol = protocol
        self.writes: list[bytes] = []
        self.reading = True
        self.ended = False
        self.closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("192.0.2.1", 1000), "sockname": ("192.0.2.2", 25)}.get(name, default)

    def write(self, data: Any) -> None:
        assert not self.ended
        if self.closing:
            raise RuntimeError("the handler is closed")  # as uvloop does
        self.writes.append(data)

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close


class MemoryMember:
    """Is pool, conversation and lease in one. `messages` are `(commands, content)` of accepted messages."""

    extensions: ClassVar = {"SIZE": "", "8BITMIME": "", "SMTPUTF8": "", "DSN": ""}
    name = "member"
    usable = True

    def __init__(self) -> None:
        self.member = self.conversation = self
        self.messages: list[tuple[list[str], bytes]] = []
        self._envelope: list[str] = []
        self._content: bytes | None = None

    async def open(self, settings: Any, caller: Any, tried: Any) -> MemoryMember:
        return self

    def uses(self, member: Any) -> bool:
        return True

    async def command(self, line: str) -> Reply:
        await asyncio.sleep(0)
        if line.startswith("MAIL"):
            self._envelope = []
        if "refused" in line:
            return reply_of(550, "5.1.1 Refused")
        self._envelope.append(line)
        return reply_of(250, "2.0.0 Ok")

    async def begin_content(self) -> Reply:
        await asyncio.sleep(0)
        self._content = b""
        return reply_of(354, "Go on")

    def buffer(self, data: bytes) -> None:
        assert self._content is not None
        self._content += data

    async def write(self, data: bytes) -> None:
        self.buffer(data)

    async def end_content(self, timeout: float) -> Reply:
        await asyncio.sleep(0)
        assert self._content is not None
        self.messages.append((self._envelope, self._content))
        return reply_of(250, f"2.0.0 Queued as {len(self.messages)}")

    def close(self) -> None:
        self._content = None

    def failed(self, error: Exception) -> None:
        raise error

    def end_by(self, ending: str) -> None:
        pass


class MemoryUsers:
    """Accepts the password `secret`."""

    pool = ""

    async def verify(self, settings: Any, caller: Any, credentials: Any, kept: Any) -> Reply:
        await asyncio.sleep(0)
        return ACCEPTED if credentials.password == b"secret" else REJECTED


class Faults:
    """An error log that keeps what it is told of as an error: aiosmtpd would catch what it raises."""

    def __init__(self) -> None:
        self.found: list[object] = []

    def warn(self, event: str, /, **fields: object) -> None:
        pass

    info = warn

    def error(self, event: str, /, **fields: object) -> None:
        self.found.append(fields)


class Heard(NamedTuple):
    """What came of a conversation: replies as bytes, and the messages that a member accepted."""

    replies: bytes
    messages: list[tuple[list[str], bytes]]


async def converse(
    pieces: Iterable[bytes],
    pauses: Iterable[int] = (),
    *,
    lost: bool = False,
    writes: list[bytes] | None = None,
    **limits: Any,
) -> Heard:
    """Send `pieces`, after each as many iterations of the loop as `pauses` says (0 without), then end of stream, or
    nothing if the connection is `lost`. `writes` gets what was written at a time.

    `limits` are attributes of SmtpSettings.
    """
    member, state, faults = MemoryMember(), ListenerState(), Faults()
    settings = SmtpSettings("mail", Clock(), state, SessionTable(), {}, faults)  # type: ignore[arg-type]
    settings.routes = [MailRoute(MailMatch(), "all")]
    settings.pools = {"all": member}  # type: ignore[dict-item]
    settings.received = False
    settings.auth = MemoryUsers()  # type: ignore[assignment]
    settings.auth_without_tls = True
    settings.extensions = frozenset(("SMTPUTF8", "DSN"))
    for name, value in limits.items():
        setattr(settings, name, value)
    connection = SmtpConnection(settings, Handshake(("192.0.2.1", 1000), lambda: None))
    transport = MemoryTransport(connection)
    connection.connection_made(transport)
    waits = iter(pauses)
    for piece in pieces:
        await _reading(transport)
        if not transport.closing:
            connection.data_received(piece)
            assert connection._lines.buffered <= (64 << 10) + len(piece)
        for _ in range(next(waits, 0)):
            await asyncio.sleep(0)
    if lost:
        transport.close()
    elif not transport.closing:
        connection.eof_received()
    for _ in range(ROUNDS):
        if transport.closing and not state.connections:
            break
        await asyncio.sleep(0)
    assert not state.connections, "the connection hangs"
    assert not faults.found, faults.found
    if writes is not None:
        writes += transport.writes
    return Heard(b"".join(transport.writes), member.messages)


async def _reading(transport: MemoryTransport) -> None:
    for _ in range(ROUNDS):
        if transport.reading or transport.closing:
            return
        await asyncio.sleep(0)
    raise AssertionError("the connection does not read on")
