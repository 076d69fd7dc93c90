"""A pool for mail: conversations with its members, opened on another member when one cannot be reached."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Protocol

from adc.http.client import Flow
from adc.net.connect_failure import failure_of
from adc.net.dial import Dialer
from adc.net.proxy_protocol import compose
from adc.pools.errors import Failure
from adc.pools.member import Member
from adc.pools.pool import Pool
from adc.smtp.caller import Caller
from adc.smtp.conversation import MemberError
from adc.smtp.lease import Lease
from adc.smtp.replies import SILENT, UNREACHABLE, passable

if TYPE_CHECKING:
    from adc.net.clock import Clock
    from adc.telemetry.error_log import ErrorLog

MOST_ATTEMPTS: Final = 3
"""Members that are tried for one transaction."""


class OpenSettings(Protocol):
    """What opening a conversation needs of the listener: timeouts in seconds; `xclient` passes on who the client is."""

    clock: Clock
    error_log: ErrorLog
    hostname: str
    xclient: bool
    connect_timeout: float
    reply_timeout: float


class MailPool:
    """A pool with its dialers by the address of the member.

    `context` is for TLS: from the first byte, or after STARTTLS for `server_name`.
    """

    def __init__(
        self,
        pool: Pool,
        dialers: Mapping[str, Dialer],
        context: ssl.SSLContext | None = None,
        server_name: str | None = None,
        *,
        starttls: bool = False,
        proxy_version: str | None = None,
    ) -> None:
        self.pool = pool
        self._dialers = dialers
        self._context = context
        self._server_name = server_name
        self._starttls = starttls
        self._proxy_version = proxy_version
        if not starttls:
            for dialer in dialers.values():
                dialer.secure(context, server_name)

    def uses(self, member: Member) -> bool:
        """True if `member` may get new messages."""
        return member.available and member in self.pool.members

    def refresh(self, now: float) -> None:
        """Refresh the addresses of names; called from the tick."""
        for dialer in self._dialers.values():
            dialer.refresh(now)

    async def open(self, settings: OpenSettings, caller: Caller, tried: list[Member]) -> Lease:
        """Return a conversation with a member that accepts mail from `caller`; members that fail are added to `tried`,
        and none of those is used. Raises MemberError.
        """
        flow = Flow(caller.client)
        refusal, detail = UNREACHABLE, "no member is available"
        while len(tried) < MOST_ATTEMPTS:
            member = self.pool.pick(flow, settings.clock.now, tried)
            if member is None:
                break
            lease = Lease(
                self.pool, member, settings.reply_timeout, settings.clock, settings.error_log, caller.leases
            )
            try:
                await self._connect(lease, settings, caller)
            except MemberError as error:
                tried.append(member)
                member.retries += 1
                refusal, detail = error.reply, str(error)
            else:
                return lease
        raise MemberError(passable(refusal) if refusal.kind == 4 else UNREACHABLE, Failure.NO_MEMBER, detail)

    async def _connect(self, lease: Lease, settings: OpenSettings, caller: Caller) -> None:
        """Make the conversation of `lease` ready for MAIL. Raises MemberError, and closes the lease then."""
        try:
            async with asyncio.timeout(settings.connect_timeout):
                await self._dial(lease, settings, caller)
        except TimeoutError:
            error = MemberError(SILENT, Failure.CONNECTION_TIMEOUT, "not ready in time")
        except OSError as failed:
            error = MemberError(UNREACHABLE, failure_of(failed), str(failed))
        except MemberError as failed:
            error = failed
        except asyncio.CancelledError:
            lease.close()
            raise
        else:
            lease.ready()
            return
        lease.failed(error)
        raise error

    async def _dial(self, lease: Lease, settings: OpenSettings, caller: Caller) -> None:
        conversation, protocol = lease.conversation, lease.protocol
        version = self._proxy_version
        preface = compose(version, caller.endpoints) if version is not None else b""
        dialer = self._dialers[lease.member.address]
        await dialer(lambda: protocol, preface)
        await conversation.greet(settings.hostname)
        if self._starttls and self._context is not None:
            name = self._server_name or dialer.host or "localhost"
            await conversation.secure(self._context, name, settings.hostname)
        if settings.xclient and "XCLIENT" in conversation.extensions:
            command = caller.xclient(conversation.extensions["XCLIENT"])
            if command:
                await conversation.become(command, caller.helo or settings.hostname)
