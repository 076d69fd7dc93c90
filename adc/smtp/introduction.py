"""What a client says of itself: HELO, EHLO, STARTTLS and AUTH."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

from aiosmtpd.smtp import AuthResult, LoginPassword

from adc.smtp.conversation import Credentials
from adc.smtp.lease import Lease
from adc.smtp.line_reader import SessionEnded
from adc.smtp.replies import Reply, reply_of
from adc.smtp.session_protocol import SessionProtocol

MOST_FAILURES: Final = 3
"""Failed authentications of a connection."""

_NAME = re.compile(r"[\x21-\x7e]{1,255}")
NO_TLS = reply_of(502, "5.5.1 TLS is not available")
IN_TLS = reply_of(503, "5.5.1 TLS is already in use")
INJECTED = reply_of(501, "5.5.1 Commands before TLS")
GO_AHEAD = reply_of(220, "2.0.0 Ready to start TLS")
NO_AUTH = reply_of(502, "5.5.1 Authentication is not available")
AUTH_NEEDED = reply_of(530, "5.7.0 Authentication required")
IN_MESSAGE = reply_of(503, "5.5.1 Not during a message")
NUL_IN_LOGIN: Final = "501 5.5.2 NUL in the name or the password"
TOO_MANY_FAILURES = reply_of(421, "4.7.0 Too many failed authentications")


class Introduction(SessionProtocol):
    """The part of a session before messages. By pool: `idle_leases` with members, and `logins`, the credentials."""

    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.idle_leases: dict[str, Lease] = {}
        self.logins: dict[str, Credentials] = {}
        self._failures = 0

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.close_idle_leases()

    def close_idle_leases(self) -> None:
        """Close the conversations with members."""
        for lease in self.idle_leases.values():
            lease.close()
        self.idle_leases.clear()

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802
        if await self._introduced(hostname, extended=False):
            await self.say(Reply(250, (self.hostname,)))

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        if await self._introduced(hostname, extended=True):
            await self.say(Reply(250, (self.hostname, *self._offers())))

    async def _introduced(self, name: str, *, extended: bool) -> bool:
        if not name or not _NAME.fullmatch(name):
            await self.say(reply_of(501, "5.5.4 A host name is needed"))
            return False
        self.reset()
        session, caller = self.session, self.caller
        assert session is not None
        if (caller.helo, caller.extended) != (name, extended):
            self.close_idle_leases()
        session.extended_smtp = caller.extended = extended
        session.host_name = caller.helo = name
        return True

    def _offers(self) -> list[str]:
        """Return the extensions that hold now."""
        settings = self.settings
        offers = ["PIPELINING", f"SIZE {settings.size_limit}", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if settings.tls is not None and not self.caller.secure:
            offers.append("STARTTLS")
        if settings.auth is not None and (self.caller.secure or settings.auth_without_tls):
            offers.append("AUTH PLAIN LOGIN")
        return [*offers, *sorted(settings.extensions)]

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        context = self.settings.tls
        if arg:
            await self.say(reply_of(501, "5.5.4 STARTTLS has no parameters"))
        elif self.caller.secure:
            await self.say(IN_TLS)
        elif context is None:
            await self.say(NO_TLS)
        elif self._lines.buffered:
            self._refuse_injection()
        else:
            await self._start_tls(context)

    def _refuse_injection(self) -> None:
        """End a session with bytes behind STARTTLS: they would count as if they had come under TLS (RFC 3207)."""
        self.settings.refuse("starttls_injection", self.peer)
        self.hang_up(INJECTED)
        raise SessionEnded("commands before TLS")

    async def _start_tls(self, context: Any) -> None:
        self.check_open()
        plain: Any = self.transport
        self._send(GO_AHEAD.wire() + b"\r\n")
        timeout = self.settings.handshake_timeout
        try:
            transport: Any = await self.loop.start_tls(
                plain, self, context, server_side=True, ssl_handshake_timeout=timeout
            )
        except (OSError, RuntimeError) as error:  # uvloop's RuntimeError: the transport closed meanwhile
            self.settings.refuse("tls_handshake", self.peer, str(error))
            plain.abort()
            raise SessionEnded("TLS handshake") from None
        if transport is None or self.transport is None:
            raise SessionEnded("TLS handshake")
        self._use(transport)

    def _use(self, transport: Any) -> None:
        """Begin anew on a connection under TLS: nothing that was said before counts (RFC 3207 section 4.2)."""
        self.transport = transport
        self._lines.set_transport(transport)
        self._writer = self.writer_of(transport)
        self._now_secure(transport.get_extra_info("ssl_object"))
        self.reset()
        self.close_idle_leases()
        session = self.session
        assert session is not None
        session.host_name = session.login_data = None
        session.extended_smtp = session.authenticated = False
        self.caller.helo = self.caller.login = ""
        self.logins.clear()

    async def check_auth_needed(self, caller_method: str) -> bool:
        """Reject a command that needs authentication first; True if it does."""
        assert self.session is not None
        needed = self.settings.auth_required and not self.session.authenticated
        if needed:
            await self.say(AUTH_NEEDED)
        return needed

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if self.settings.auth is None:
            await self.say(NO_AUTH)
            return
        if self.in_transaction:
            await self.say(IN_MESSAGE)
            return
        mechanism, space, initial = (arg or "").partition(" ")
        initial = "" if initial == "=" else initial
        await super().smtp_AUTH(f"{mechanism.upper()}{space}{initial}".rstrip(" "))

    async def auth_PLAIN(self, _: Any, args: list[str]) -> AuthResult:  # noqa: N802
        return await self._verified(await super().auth_PLAIN(_, args))

    async def auth_LOGIN(self, _: Any, args: list[str]) -> AuthResult:  # noqa: N802
        return await self._verified(await super().auth_LOGIN(_, args))

    async def _verified(self, collected: AuthResult) -> AuthResult:
        """Verify the credentials that aiosmtpd has read, if it could read them."""
        settings, data = self.settings, collected.auth_data
        if not isinstance(data, LoginPassword) or settings.auth is None:
            return collected
        if b"\0" in data.login + data.password:  # it separates the two in PLAIN (RFC 4616)
            return AuthResult(success=False, handled=False, message=NUL_IN_LOGIN)
        credentials = Credentials(data.login, data.password)
        self.close_idle_leases()
        with self.waiting():
            reply = await settings.auth.verify(settings, self.caller, credentials, self.idle_leases)
        text = reply.wire().decode("utf-8", "surrogateescape")
        if reply.status != 235:
            await self._failed(credentials, reply)
            return AuthResult(success=False, handled=False, message=text)
        self.caller.login = data.login.decode("utf-8", "replace")
        if settings.auth.pool:
            self.logins[settings.auth.pool] = credentials
        return AuthResult(success=True, message=text)

    async def _failed(self, credentials: Credentials, reply: Reply) -> None:
        self.settings.refuse(
            "auth", self.peer, f"{credentials.login.decode('utf-8', 'replace')[:100]}: {reply.text}"
        )
        if reply.kind == 5:
            self._failures += 1
        if self._failures >= MOST_FAILURES:
            await asyncio.sleep(0)
            self.hang_up(TOO_MANY_FAILURES)
            raise SessionEnded("authentication failures")
