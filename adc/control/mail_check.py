"""A health check of a mail server: its greeting and its reply to EHLO, under TLS where mail is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from adc.smtp.conversation import Conversation, MemberError
from adc.smtp.member_protocol import MemberProtocol


class MailCheck:
    """Opens a connection with `dial`, introduces itself as `name`, and says QUIT. `starttls` has context and server
    name of a member that begins TLS with STARTTLS."""

    def __init__(
        self,
        dial: Callable[[asyncio.BaseProtocol], Awaitable[None]],
        name: str,
        timeout: float,
        starttls: tuple[ssl.SSLContext, str] | None,
    ) -> None:
        self._dial = dial
        self._name = name
        self._timeout = timeout
        self._starttls = starttls

    async def __call__(self) -> str | None:
        """Return None if the member is ready for mail, else why not. Raises OSError."""
        protocol = MemberProtocol(asyncio.get_running_loop())
        conversation = Conversation(protocol, self._timeout)
        try:
            await self._dial(protocol)
            await conversation.greet(self._name)
            if self._starttls is not None:
                await conversation.secure(*self._starttls, self._name)
        except MemberError as error:
            return str(error)
        finally:
            conversation.close()
        return None
