"""The life of one client connection on aiosmtpd: its bytes, its timeouts, and its end."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import Any, ClassVar, Final

from aiosmtpd.smtp import SMTP, AuthResult

from adc.http.client import Client
from adc.net.handshake import Handshake
from adc.net.tcp_options import close_as, probe_silence
from adc.smtp.caller import Caller
from adc.smtp.line_reader import LineReader, SessionEnded
from adc.smtp.mail_session import SmtpSession
from adc.smtp.replies import Reply, reply_of
from adc.smtp.settings import SmtpSettings
from adc.smtp.shed import FULL

logging.getLogger("mail.log").disabled = True  # aiosmtpd logs commands and replies; adc has a log of its own

COMMAND_BYTES: Final = 2048
"""512 bytes of RFC 5321, and the parameters of the extensions."""

READ_BYTES: Final = 12 << 10
"""Longest line that is read: a response to an AUTH challenge (RFC 4954 section 4)."""

MOST_UNSENT: Final = 4096
"""Bytes of replies that are buffered for the next one."""

LINGER: Final = 2.0
"""Seconds for which bytes of a client are read and dropped after the last reply, which a reset would destroy."""

TIMEOUT = reply_of(421, "4.4.2 Timeout, closing connection")
GRACE: Final = 1.0
"""Seconds for which a member may still reply once the client has closed its half without a message or QUIT."""

LEFT = reply_of(421, "4.4.2 Connection closed before QUIT")
CLOSING = reply_of(421, "4.3.2 Service is closing, try again later")
TOO_MANY_ERRORS = reply_of(421, "4.7.0 Too many errors")
REFUSED_RECIPIENTS = reply_of(421, "4.7.0 Too many rejected recipients")
NOT_KNOWN = reply_of(500, "5.5.2 Command not recognized")
IDLE = reply_of(421, "4.7.0 Too many commands without a message")
BAD_LINES: Final = {
    "bare_newline": reply_of(521, "5.5.2 Bare CR or LF in a command"),
    "nul": reply_of(521, "5.5.2 NUL in a command"),
    "line_length": reply_of(500, "5.5.6 Line too long"),
    "chunking": reply_of(502, "5.5.1 CHUNKING is not offered"),
    "http": reply_of(521, "5.7.0 This is not an HTTP server"),
}

_PLAIN = re.compile(r"(5[0-9]{2}) (?!5\.)")
_CODES: Final = {"500": "5.5.2", "501": "5.5.4", "502": "5.5.1", "503": "5.5.1", "504": "5.5.4"}


class SessionProtocol(SMTP):
    """One client connection; an OpenConnection of its listener.

    aiosmtpd reads and dispatches commands and conducts AUTH. What it reads from, replies, timeouts and the end are
    here. `retiring` connections close at the beginning of their next message but one.
    """

    _methods: ClassVar[list[str]] = []

    def __init__(self, settings: SmtpSettings, handshake: Handshake) -> None:
        loop = asyncio.get_running_loop()
        self.settings = settings
        self.deadline = inf
        self.retiring = False
        self.leaving = False
        self.peer = handshake.peer
        self._handshake = handshake
        self._ended = False
        self._waiting = False
        self._unsent = b""
        self._errors = 0
        self._idle_commands = 0
        self._refused_recipients = 0
        super().__init__(
            None,
            hostname=settings.hostname,
            ident="ESMTP",
            enable_SMTPUTF8=True,
            tls_context=settings.tls,
            require_starttls=settings.tls_required,
            auth_require_tls=not settings.auth_without_tls,
            authenticator=_collect,
            loop=loop,
        )
        self.command_size_limit = COMMAND_BYTES
        self.command_size_limits = defaultdict(lambda: COMMAND_BYTES)
        self._smtp_methods = _Methods(self._smtp_methods, self._unknown)
        self._lines = LineReader(READ_BYTES, loop, self._refuse_line)
        asyncio.StreamReaderProtocol.__init__(self, self._lines, self._cb_client_connected, loop)

    def __init_subclass__(cls) -> None:
        cls._methods = [name for name in dir(cls) if name.startswith(("smtp_", "auth_"))]

    def __dir__(self) -> Iterable[str]:
        """Return the names that aiosmtpd looks for in each new connection; all names would take it 0.1 ms."""
        return self._methods

    def connection_made(self, transport: Any) -> None:
        settings, handshake = self.settings, self._handshake
        handshake.release()
        ends = handshake.endpoints
        own_address = transport.get_extra_info("sockname") if ends is None else ends[1]
        secured = transport.get_extra_info("ssl_object")
        client = Client(handshake.peer, "smtp", address=handshake.address, own_address=own_address)
        self.caller = Caller(client)
        if secured is not None:
            self._now_secure(secured)
        self.flow = SmtpSession(self)
        if settings.keep_alive:
            probe_silence(transport.get_extra_info("socket"), max(1, int(settings.keep_alive)))
        settings.sessions.open(self.flow, settings.clock.now)
        opened = settings.state.opened(self)
        super().connection_made(transport)
        self._idle_commands = 0
        task = self._handler_coroutine
        assert task is not None
        task.add_done_callback(self._over)
        self._writer = self.writer_of(transport)
        if not opened or settings.state.draining:
            task.cancel()
            self.hang_up(FULL if not opened else CLOSING)

    def _over(self, task: asyncio.Task[None]) -> None:
        """Close what the session has open at members. `wait_for` may have dropped the cancellation of its task."""
        if not task.cancelled():
            task.exception()  # retrieved, so that the loop does not report it
        for lease in list(self.caller.leases):
            lease.close()

    def writer_of(self, transport: Any) -> asyncio.StreamWriter:
        """Return the writer for a transport of this connection."""
        return SessionWriter(transport, self, self._lines, self.loop)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Suspend the client's timeout while a member or a computation is pending, which have their own."""
        self._waiting = True
        self._suspend_timeout()
        try:
            yield
        finally:
            self._waiting = False
            if not self._ended:
                self.deadline = self.settings.clock.now + self.settings.command_timeout

    def _now_secure(self, secured: Any) -> None:
        """Note that the connection is under TLS; aiosmtpd looks at `_tls_protocol` for that."""
        self._tls_protocol = secured
        self.caller.secure = True
        self.caller.client.scheme = "smtps"
        self.caller.client.sni = getattr(secured, "server_name", "")

    def data_received(self, data: bytes) -> None:
        self.flow.received(len(data))
        if not self._ended:
            super().data_received(data)

    def eof_received(self) -> bool:
        """Process the bytes before the client's half-close; TLS has no half-closed connections."""
        self._lines.feed_eof()
        if self._ended and self.transport is not None:
            self.transport.close()
        elif self._waiting:
            self._suspend_timeout()
        return not self.caller.secure

    def _suspend_timeout(self) -> None:
        """Wait for a member, but not for long if no message can come of it: the client has closed its half without the
        end of a message or QUIT, and has probably left."""
        left = self._lines.over and not self.must_finish and not self._lines.may_conclude
        self.deadline = self.settings.clock.now + GRACE if left else inf

    def _abandon(self) -> None:
        """End a session whose client has left."""
        self.hang_up(LEFT)
        self.deadline = self.settings.clock.now + LINGER
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def connection_lost(self, error: Exception | None) -> None:
        self.settings.state.closed(self)
        self.settings.sessions.closed(self.flow, "closed", self.settings.clock.now)
        self._handshake.release()
        self.deadline = inf
        self._ended = True
        # The cause is irrelevant: waiters on the client see a lost connection.
        asyncio.StreamReaderProtocol.connection_lost(self, None)
        if self._handler_coroutine is not None and not self.must_finish:
            self._handler_coroutine.cancel()
        self.transport = None

    @property
    def must_finish(self) -> bool:
        """True while a member decides on a whole message: its decision is awaited even if the client is gone."""
        return False

    @property
    def in_transaction(self) -> bool:
        """True between MAIL and the reply to the message."""
        return False

    def reset(self) -> None:
        """Forget the message that has begun."""
        self._set_rset_state()  # type: ignore[no-untyped-call]

    async def push(self, status: Any, *, more: bool = False) -> None:
        """Send one reply; `more`: together with the next one if its command is here already (RFC 2920 section 3.2).

        Raises SessionEnded.
        """
        self.check_open()
        if isinstance(status, str):
            status = _with_code(status).encode()
        self._unsent += status + b"\r\n"
        if not more or len(self._unsent) > MOST_UNSENT or not self._lines.has_line:
            self._send()
            await self._writer.drain()
        if status[:1] == b"5":
            self._errors += 1
            if self._errors > self.settings.error_limit:
                self.settings.refuse("errors", self.peer)
                self.hang_up(TOO_MANY_ERRORS)
                raise SessionEnded("errors")

    def check_open(self) -> None:
        """Raise SessionEnded if nothing can be sent: uvloop's transports raise RuntimeError then."""
        transport: Any = self.transport
        if self._ended or transport is None or transport.is_closing():
            raise SessionEnded("the client has left")

    async def say(self, reply: Reply, *, more: bool = False) -> None:
        """Send one reply, as `push` does."""
        await self.push(reply.wire(), more=more)

    def _send(self, last: bytes = b"") -> None:
        """Write the buffered replies and `last`."""
        transport: Any = self.transport
        data, self._unsent = self._unsent + last, b""
        self.flow.sent(len(data))
        transport.write(data)

    def hang_up(self, reply: Reply) -> None:
        """Send a last reply and close."""
        transport: Any = self.transport
        if transport is not None and not transport.is_closing() and not self._ended:
            self._send(reply.wire() + b"\r\n")
            self.finish()

    def finish(self) -> None:
        """Close once the last reply is delivered: own half first, the other soon."""
        transport: Any = self.transport
        if self._ended or transport is None or transport.is_closing():
            return
        self._ended = True
        if self.caller.secure or self._lines.over:
            transport.close()
            return
        transport.write_eof()
        self._lines.drop()
        self.deadline = self.settings.clock.now + LINGER

    def _refuse_line(self, reason: str) -> None:
        self.settings.refuse(reason, self.peer)
        self.hang_up(BAD_LINES[reason])

    async def _unknown(self, arg: str | None) -> None:
        """Reject an unknown command; aiosmtpd would close after five, without a log line."""
        await self.say(NOT_KNOWN)

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Start the wait for the client. aiosmtpd calls this for each command that it knows."""
        self.deadline = self.settings.clock.now + (duration or self.settings.command_timeout)
        self._idle_commands += 1
        if self._idle_commands > self.settings.idle_commands:
            self.settings.refuse("idle_commands", self.peer)
            self.hang_up(IDLE)
            raise SessionEnded("idle commands")

    def recipient_counted(self, reply: Reply) -> None:
        """Count the reply to RCPT. Rejected recipients are not idle commands; they have the limit of recipients."""
        if reply.kind == 2:
            self._idle_commands = 0
            return
        self._idle_commands -= 1
        self._refused_recipients += 1
        if self._refused_recipients > self.settings.recipient_limit:
            self.settings.refuse("recipients", self.peer)
            self.hang_up(REFUSED_RECIPIENTS)
            raise SessionEnded("rejected recipients")

    def message_done(self) -> None:
        """Forget errors and commands before a message that was accepted."""
        self._errors = self._idle_commands = self._refused_recipients = 0

    def timed_out(self) -> None:
        self.deadline = inf
        transport: Any = self.transport
        if transport is None:
            return
        if self._ended or transport.get_write_buffer_size():
            transport.abort()
            return
        if self._waiting:
            self._abandon()
            return
        self.settings.refuse("timeout", self.peer)
        self.expire()

    def retire(self) -> None:
        self.retiring = True

    def drain(self) -> None:
        self.leaving = True
        if not self.in_transaction:
            self.hang_up(CLOSING)
            if self._handler_coroutine is not None:
                self._handler_coroutine.cancel()

    def abort(self, ending: str = "close") -> None:
        """Close at once; `ending` is how (`close_as`): reset, close or silent."""
        transport: Any = self.transport
        if transport is not None:
            for lease in self.caller.leases:
                lease.end_by(ending)
            close_as(transport.get_extra_info("socket"), ending)
            transport.abort()

    def drop(self) -> None:
        """Close at once, whatever is awaited."""
        self.abort()
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    def expire(self) -> None:
        """Close an expired session."""
        self.hang_up(TIMEOUT)
        if self._handler_coroutine is not None:
            self._handler_coroutine.cancel()

    async def handle_exception(self, error: Exception) -> str:
        """Return the reply to a command that failed because of a bug in adc."""
        self.settings.fail(error)
        return "451 4.3.0 Internal error, try again later"


class _Methods(dict[str, Any]):
    """Methods by command, and one for all other commands."""

    def __init__(self, known: Mapping[str, Any], unknown: Any) -> None:
        super().__init__(known)
        self._other = unknown

    def get(self, command: str, default: Any = None) -> Any:
        return super().get(command, self._other)


class SessionWriter(asyncio.StreamWriter):
    """The writer whose `close` aiosmtpd calls at the end of a session."""

    def __init__(self, transport: Any, session: SessionProtocol, reader: LineReader, loop: Any) -> None:
        super().__init__(transport, session, reader, loop)
        self._session = session

    def close(self) -> None:
        self._session.finish()


def _collect(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Return credentials unverified; they are verified after aiosmtpd has read them."""
    return AuthResult(success=False, handled=True, auth_data=data)


def _with_code(status: str) -> str:
    """Return a reply of aiosmtpd with an enhanced status code."""
    found = _PLAIN.match(status)
    return f"{found[1]} {_CODES.get(found[1], '5.0.0')} {status[4:]}" if found else status
