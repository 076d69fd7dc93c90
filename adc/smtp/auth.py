"""Verification of a client's credentials: by a file of users, or by a member of a pool."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from adc.smtp.caller import Caller
from adc.smtp.conversation import Credentials, MemberError
from adc.smtp.mail_pool import MailPool, OpenSettings
from adc.smtp.passwords import verify_user
from adc.smtp.replies import Reply, reply_of
from adc.smtp.users_file import UsersFile

if TYPE_CHECKING:
    from adc.smtp.lease import Lease
    from adc.telemetry.error_log import ErrorLog

ACCEPTED = reply_of(235, "2.7.0 Authentication succeeded")
REJECTED = reply_of(535, "5.7.8 Authentication failed")
BUSY = reply_of(454, "4.7.0 Temporary authentication failure")

MOST_VERIFYING = 4
"""Passwords that a worker verifies at the same time; further clients wait for their turn."""


class VerifySettings(OpenSettings, Protocol):
    """What verification needs of the listener."""

    pools: Mapping[str, MailPool]


class Authenticator(Protocol):
    """Verifies credentials. `pool` names the pool whose members do it, "" for none."""

    pool: str

    async def verify(
        self,
        settings: VerifySettings,
        caller: Caller,
        credentials: Credentials,
        idle_leases: dict[str, Lease],
    ) -> Reply:
        """Return 235 for the right credentials, else the refusal."""

    def tick(self, now: float, listener: str, error_log: ErrorLog) -> None:
        """Reload changed users; called from the tick, and logged to `error_log`."""


class FileAuthenticator:
    """Verifies with a file of users, in threads."""

    pool = ""

    def __init__(self, file: UsersFile) -> None:
        self._file = file
        self._room = asyncio.Semaphore(MOST_VERIFYING)

    async def verify(
        self,
        settings: VerifySettings,
        caller: Caller,
        credentials: Credentials,
        idle_leases: dict[str, Lease],
    ) -> Reply:
        async with self._room:
            right = await asyncio.get_running_loop().run_in_executor(
                None, verify_user, self._file.users, credentials.login, credentials.password
            )
        return ACCEPTED if right else REJECTED

    def tick(self, now: float, listener: str, error_log: ErrorLog) -> None:
        self._file.tick(now, listener, error_log)


class PoolAuthenticator:
    """Passes credentials to a member of a pool; the conversation is kept for the client's mail to that pool."""

    def __init__(self, pool: str) -> None:
        self.pool = pool

    async def verify(
        self,
        settings: VerifySettings,
        caller: Caller,
        credentials: Credentials,
        idle_leases: dict[str, Lease],
    ) -> Reply:
        try:
            lease = await settings.pools[self.pool].open(settings, caller, [])
        except MemberError:
            return BUSY
        try:
            reply = await lease.conversation.authenticate(credentials)
        except MemberError as error:
            lease.failed(error)
            return BUSY
        except asyncio.CancelledError:
            lease.close()
            raise
        if reply.status == 235 and lease.usable:
            idle_leases[self.pool] = lease
            return reply
        lease.close()
        return reply if reply.kind in (4, 5) and reply.status != 421 else BUSY

    def tick(self, now: float, listener: str, error_log: ErrorLog) -> None:
        """No-op: members know their users."""
