"""One connection to a member: greeting, EHLO, STARTTLS, XCLIENT, AUTH, then messages."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from aiosmtplib import SMTPResponse, SMTPResponseException, SMTPServerDisconnected, SMTPTimeoutError
from aiosmtplib.esmtp import parse_esmtp_extensions
from aiosmtplib.protocol import COMMAND_INJECTION_REGEX

from adc.pools.errors import Failure
from adc.smtp.member_protocol import MemberProtocol
from adc.smtp.replies import LOST, SILENT, Reply, of_member, reply_of


class MemberError(Exception):
    """A conversation that cannot continue. `reply` is for the client, `failure` for the member's health."""

    def __init__(self, refusal: Reply, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.reply = refusal
        self.failure = failure


class Credentials(NamedTuple):
    """A client's name and password."""

    login: bytes
    password: bytes

    def __repr__(self) -> str:
        return "Credentials(***)"


class Conversation:
    """A connection to a member on which commands are sent one after the other, or in groups if the member offers
    PIPELINING.

    `extensions` are those of the last EHLO, in upper case, with their parameters. All methods raise MemberError.
    """

    def __init__(self, protocol: MemberProtocol, timeout: float) -> None:
        self._protocol = protocol
        self._timeout = timeout
        self._message_reply: asyncio.Future[SMTPResponse] | None = None
        self._buffered = b""
        self._ahead: deque[bytes] = deque()
        self.extensions: Mapping[str, str] = {}

    @property
    def usable(self) -> bool:
        """True if another message can be sent."""
        return self._protocol.is_connected and not self._protocol.out_of_step and self._message_reply is None

    async def greet(self, name: str) -> None:
        """Read the greeting and introduce adc."""
        greeting = await self._read(self._protocol.read_response(self._timeout))
        if greeting.kind != 2:
            raise _rejected(greeting, "greeting")
        await self.introduce(name)

    async def introduce(self, name: str) -> None:
        """Send EHLO, or HELO to a member that does not know it."""
        reply = await self.command(f"EHLO {name}")
        if reply.kind == 2:
            found, _ = parse_esmtp_extensions("\n".join(reply.lines))
            self.extensions = {keyword.upper(): value for keyword, value in found.items()}
            return
        if reply.kind == 5:
            reply = await self.command(f"HELO {name}")
        if reply.kind != 2:
            raise _rejected(reply, "EHLO")
        self.extensions = {}

    async def secure(self, context: ssl.SSLContext, server_name: str, name: str) -> None:
        """Start TLS, which the member must offer, and introduce adc again."""
        if "STARTTLS" not in self.extensions:
            raise MemberError(
                reply_of(451, "4.7.4 The mail server does not offer TLS"), Failure.TLS_ERROR, "no STARTTLS"
            )
        try:
            await self._protocol.start_tls(context, server_hostname=server_name, timeout=self._timeout)
        except (
            SMTPResponseException,
            SMTPServerDisconnected,
            SMTPTimeoutError,
            OSError,
            RuntimeError,
        ) as error:
            failure = (
                Failure.TLS_CERTIFICATE
                if isinstance(error, ssl.SSLCertVerificationError)
                else Failure.TLS_ERROR
            )
            raise MemberError(
                reply_of(451, "4.7.5 TLS with the mail server failed"), failure, str(error)
            ) from None
        await self.introduce(name)

    async def become(self, xclient: str, name: str) -> None:
        """Send XCLIENT, after which the member greets again, and EHLO with the client's `name`."""
        reply = await self.command(xclient)
        if reply.kind != 2:
            raise _rejected(reply, "XCLIENT")
        await self.introduce(name)

    async def authenticate(self, credentials: Credentials) -> Reply:
        """Send the client's credentials (AUTH PLAIN, or LOGIN to members without it) and return the last reply."""
        known = self.extensions.get("AUTH", "").upper().split()
        login, password = (b64encode(part).decode() for part in credentials)
        if "PLAIN" in known or "LOGIN" not in known:
            plain = b64encode(b"\0" + credentials.login + b"\0" + credentials.password).decode()
            return await self.command(f"AUTH PLAIN {plain}")
        reply = await self.command("AUTH LOGIN")
        for part in (login, password):
            if reply.kind != 3:
                break
            reply = await self.command(part)
        return reply

    async def command(self, line: str) -> Reply:
        """Send one command and return the reply to it. 421 ends the conversation."""
        if self._protocol.out_of_step:
            self.abort()
            raise MemberError(LOST, Failure.PROTOCOL_ERROR, "a reply without a command")
        data = line.encode("utf-8", "surrogateescape")
        if self._ahead and self._ahead[0] == data:
            return await self._next_reply()
        while self._ahead:  # the rest of a group whose MAIL was refused
            await self._next_reply()
        reply = await self._read(self._protocol.execute_command(data, timeout=self._timeout))
        if reply.status == 421:
            self.abort()
        return reply

    async def send_ahead(self, lines: Sequence[str]) -> None:
        """Send commands together; `command` then reads the reply to each, called with the same lines in their order."""
        while self._ahead:
            await self._next_reply()
        group = [line.encode("utf-8", "surrogateescape") for line in lines]
        if self._protocol.out_of_step or any(COMMAND_INJECTION_REGEX.search(line) for line in group):
            return  # `command` raises the error
        try:
            self._protocol.write_group(b"".join(line + b"\r\n" for line in group), len(group))
        except SMTPServerDisconnected as error:
            raise MemberError(LOST, Failure.RESET, str(error)) from None
        self._ahead.extend(group)

    async def _next_reply(self) -> Reply:
        self._ahead.popleft()
        reply = await self._read(self._protocol.read_reply(self._timeout))
        if reply.status == 421:
            self.abort()
        return reply

    async def begin_content(self) -> Reply:
        """Send DATA; content may follow if the reply is 354."""
        reply = await self.command("DATA")
        if reply.status == 354:
            try:
                self._message_reply = self._protocol.expect()
            except SMTPServerDisconnected as error:
                raise MemberError(LOST, Failure.RESET, str(error)) from None
            self._check()
        return reply

    def buffer(self, data: bytes) -> None:
        """Buffer content until the next write."""
        self._buffered += data

    async def write(self, data: bytes) -> None:
        """Send content; waits while the member does not read."""
        self._check()
        try:
            self._send(data)
            async with asyncio.timeout(self._timeout):
                await self._protocol.writable.wait()
        except TimeoutError:
            self.abort()
            raise MemberError(SILENT, Failure.WRITE_TIMEOUT, "the member does not read") from None
        except SMTPServerDisconnected as error:
            raise MemberError(LOST, Failure.RESET, str(error)) from None
        self._check()

    def _send(self, data: bytes) -> None:
        buffered, self._buffered = self._buffered, b""
        self._protocol.write(buffered + data)

    def _check(self) -> None:
        """Raise if the member replied, or left, before the end of the content.

        A reply in one packet with 354 is not read yet, and would be matched to the message.
        """
        pending, protocol = self._message_reply, self._protocol
        if pending is None or not (pending.done() or protocol.lost or protocol.out_of_step):
            return
        replied = pending.done() and pending.exception() is None
        self.abort()
        if replied:
            early = of_member(*pending.result())
            refusal = early if early.kind in (4, 5) else LOST
            raise MemberError(refusal, Failure.PROTOCOL_ERROR, f"reply before the end: {early.text}")
        if protocol.out_of_step:
            raise MemberError(LOST, Failure.PROTOCOL_ERROR, "reply before the end")
        raise MemberError(LOST, Failure.RESET, "connection lost in the message")

    async def end_content(self, timeout: float) -> Reply:
        """End the message and return the reply to it: only now may the member accept it."""
        self._check()
        try:
            self._send(b".\r\n")
        except SMTPServerDisconnected as error:
            raise MemberError(LOST, Failure.RESET, str(error)) from None
        reply = await self._read(self._protocol.read_response(timeout))
        self._message_reply = None
        if reply.status == 421:
            self.abort()
        return reply

    async def _read(self, response: object) -> Reply:
        """Return the reply of an awaitable of aiosmtplib."""
        try:
            found: SMTPResponse = await response  # type: ignore[misc]
        except (SMTPTimeoutError, TimeoutError):
            self.abort()
            raise MemberError(SILENT, Failure.RESPONSE_TIMEOUT, "no reply in time") from None
        except SMTPServerDisconnected as error:
            raise MemberError(LOST, Failure.RESET, str(error)) from None
        except (SMTPResponseException, OSError, ValueError) as error:
            self.abort()
            raise MemberError(LOST, Failure.PROTOCOL_ERROR, str(error)) from None
        if not 200 <= found.code <= 599:
            self.abort()
            raise MemberError(LOST, Failure.PROTOCOL_ERROR, f"status {found.code}")
        return of_member(found.code, found.message)

    def close(self) -> None:
        """Send QUIT and close; a message that has begun is aborted, because QUIT would be part of it."""
        if not self.usable:
            self.abort()
            return
        with suppress(SMTPServerDisconnected):
            self._protocol.write(b"QUIT\r\n")
        transport = self._protocol.transport
        if transport is not None:
            transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._protocol.abort()


def _rejected(reply: Reply, stage: str) -> MemberError:
    """Return the error for a member that rejects this connection."""
    return MemberError(reply, Failure.UNPROCESSED, f"{stage}: {reply.status} {reply.text}")
