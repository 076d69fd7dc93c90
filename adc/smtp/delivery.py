"""The part of a message that goes to one pool: its recipients, and the conversation with the member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from adc.pools.errors import Failure
from adc.smtp import parameters as params
from adc.smtp.caller import Caller
from adc.smtp.conversation import Credentials, MemberError
from adc.smtp.path import Mailbox
from adc.smtp.replies import LOST, Reply, Result, passable, reply_of

if TYPE_CHECKING:
    from adc.pools.member import Member
    from adc.smtp.lease import Lease
    from adc.smtp.mail_pool import MailPool
    from adc.smtp.settings import SmtpSettings


PIPELINING = "PIPELINING"
OUT_OF_PLACE = reply_of(451, "4.5.0 The mail server's reply makes no sense")
REJECTED_LOGIN = reply_of(451, "4.7.0 The mail server rejects the credentials that it accepted before")


class Sender(NamedTuple):
    """The sender of a message and the parameters of MAIL."""

    mailbox: Mailbox
    parameters: Mapping[str, str]


class Recipient(NamedTuple):
    """A recipient and the parameters of RCPT."""

    mailbox: Mailbox
    parameters: Mapping[str, str]


class Delivery:
    """One transaction with a member of `pool`.

    `result` is set once it has ended: the member's reply to the message, or the reason that it got none. `lease` is
    a conversation of an earlier message to begin with, if it still works.
    """

    def __init__(
        self,
        pool: MailPool,
        settings: SmtpSettings,
        caller: Caller,
        sender: Sender,
        lease: Lease | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self.pool = pool
        self.recipients: list[Recipient] = []
        self.lease = lease
        self.member = ""
        self.result: Reply | None = None
        self._settings = settings
        self._caller = caller
        self._sender = sender
        self._credentials = credentials
        self._begun = False
        self._clean = False
        self._tried: list[Member] = []
        self._coming: list[Recipient] = []

    async def add(self, recipient: Recipient, coming: Sequence[Recipient] = ()) -> Reply:
        """Send RCPT and return the member's reply; MAIL goes first, and its refusal is the reply too.

        `coming` is this recipient and those that the next calls will add: a member that offers PIPELINING gets them
        together.
        """
        if coming or self._coming[:1] != [recipient]:
            self._drop_announced()
            self._coming = list(coming) or [recipient]
        if not self._begun:
            refusal = await self._repeat()
            if refusal is not None:
                self._coming = []
                return refusal
        elif len(coming) > 1:
            await self._announce()
        reply = await self._offer(recipient)
        if reply is None:
            refusal = await self._repeat()
            reply = refusal if refusal is not None else await self._offer(recipient)
        if reply is None:
            reply = LOST
        self._coming = self._coming[1:]
        if reply.kind == 2:
            self.recipients.append(recipient)
        return reply

    def _drop_announced(self) -> None:
        """Begin anew if the member may have accepted a recipient that the client was not promised."""
        if self._coming:
            self._coming = []
            self._begun = False
            if self.lease is not None:
                self.lease.close()
                self.lease = None

    async def _announce(self) -> None:
        """Send RCPT for the recipients that come, in the transaction that has begun."""
        lease = self.lease
        if lease is not None and PIPELINING in lease.conversation.extensions:
            try:
                await lease.conversation.send_ahead(list(self._commands(lease, self._coming)))
            except MemberError as error:
                self._lost(error)

    def _commands(self, lease: Lease, recipients: Iterable[Recipient]) -> Iterator[str]:
        """Yield RCPT for the recipients that the member can get."""
        for recipient in recipients:
            command = _recipient_command(lease, recipient)
            if isinstance(command, str):
                yield command

    async def _offer(self, recipient: Recipient) -> Reply | None:
        """Send RCPT; None if the member is lost."""
        try:
            return _final(_staying(await self._send_recipient(recipient)))
        except MemberError as error:
            self._lost(error)
            return None

    async def begin_content(self) -> Reply:
        """Send DATA and return the member's reply. A member that is lost before it is replaced by another one."""
        self._drop_announced()
        reply = await self._send_data() if self._begun else None
        if reply is None:
            refusal = await self._repeat()
            reply = refusal if refusal is not None else await self._send_data()
        if reply is None:
            reply = LOST
        return reply if reply.status == 354 else self._end(_final(reply, accepts=False))

    def buffer(self, data: bytes) -> None:
        """Buffer content until the next write, unless the delivery has failed."""
        if self.result is None and self.lease is not None:
            self.lease.conversation.buffer(data)

    async def write(self, data: bytes) -> None:
        """Send content, unless the delivery has failed."""
        if self.result is None and self.lease is not None:
            try:
                await self.lease.conversation.write(data)
            except MemberError as error:
                self._lost(error)
                self._end(error.reply)

    async def end_content(self) -> None:
        """End the message; `result` is the member's reply to it."""
        if self.result is None and self.lease is not None:
            try:
                reply = await self.lease.conversation.end_content(self._settings.delivery_timeout)
                self._end(_final(reply))
                self._clean = reply.kind != 3  # else the member would read the next command as content
            except MemberError as error:
                self._lost(error)
                self._end(error.reply)

    def abandon(self, cause: Reply) -> None:
        """End a delivery whose message the member never gets whole: a closed connection has it drop what it has."""
        if self.result is None:
            self._end(cause)
            if self.lease is not None:
                self.lease.close()
                self.lease = None

    def take_lease(self) -> Lease | None:
        """Return the conversation for the next message, None if it has to be closed. Called once, at the end."""
        lease, self.lease = self.lease, None
        if lease is None or self.result is None or not lease.usable or not self._clean:
            if lease is not None:
                lease.close()
            return None
        return lease

    @property
    def outcome(self) -> Result:
        """The result for the reply to the client."""
        assert self.result is not None
        return Result([each.mailbox.address for each in self.recipients], self.result)

    async def _begin(self) -> Reply | None:
        """Send MAIL; None if the member accepts it."""
        reply = await self._begin_on_lease()
        refusal: Reply | None = None
        while reply is None:
            try:
                lease = await self._open()
            except MemberError as error:
                return passable(refusal or error.reply)
            try:
                reply = _staying(await self._send_sender(lease))
            except MemberError as error:
                refusal = error.reply
                self._lost(error)
        self._begun = reply.kind == 2
        return None if self._begun else _final(reply)

    async def _begin_on_lease(self) -> Reply | None:
        """Send MAIL in the conversation of an earlier message; None if that does not work any more."""
        lease = self.lease
        if lease is None:
            return None
        reply = None
        if lease.usable:
            try:
                reply = await self._send_sender(lease)
            except MemberError:  # it was closed while it was idle
                reply = None
        if reply is None or reply.status == 421:
            lease.close()
            self.lease = None
            return None
        return reply

    async def _open(self) -> Lease:
        """Return a new conversation, authenticated if this is the pool that verified the client."""
        lease = self.lease = await self.pool.open(self._settings, self._caller, self._tried)
        if self._credentials is not None:
            try:
                reply = await lease.conversation.authenticate(self._credentials)
            except MemberError as error:
                self._lost(error)
                raise
            if reply.kind != 2:
                lease.close()
                self.lease = None
                raise MemberError(REJECTED_LOGIN, Failure.UNPROCESSED, reply.text)
        return lease

    async def _repeat(self) -> Reply | None:
        """Begin with another member; None if it accepts the sender and all recipients that the client was promised.

        An envelope without one of them is dropped: its message would be accepted, and that recipient lost.
        """
        self._begun = False
        refusal = await self._begin()
        if refusal is not None:
            return refusal
        for recipient in self.recipients:
            reply = await self._offer(recipient)
            if reply is None or reply.kind != 2:
                self._begun = False
                if self.lease is not None:
                    self.lease.close()
                    self.lease = None
                return LOST
        return None

    async def _send_data(self) -> Reply | None:
        """Send DATA; None if the member is lost."""
        lease = self.lease
        if lease is None:
            return None
        try:
            return _staying(await lease.conversation.begin_content())
        except MemberError as error:
            self._lost(error)
            return None

    async def _send_sender(self, lease: Lease) -> Reply:
        """Send MAIL, with RCPT for all recipients that follow if the member offers PIPELINING."""
        self.member = lease.member.name
        sender, offered = self._sender, frozenset(lease.conversation.extensions)
        lacking = params.missing(sender.parameters, params.MAIL, offered)
        if lacking:
            return _lacking(lacking)
        words = params.spelled(sender.parameters, params.MAIL, offered)
        command = f"MAIL FROM:<{sender.mailbox.address}>{words}"
        if PIPELINING in offered:
            following = self._commands(lease, (*self.recipients, *self._coming))
            await lease.conversation.send_ahead([command, *following])
        return await lease.conversation.command(command)

    async def _send_recipient(self, recipient: Recipient) -> Reply:
        lease = self.lease
        if lease is None:
            raise MemberError(LOST, Failure.UNPROCESSED, "lost before")
        command = _recipient_command(lease, recipient)
        return await lease.conversation.command(command) if isinstance(command, str) else command

    def _lost(self, error: MemberError) -> None:
        lease, self.lease = self.lease, None
        if lease is not None:
            self._tried.append(lease.member)
            lease.failed(error)

    def _end(self, result: Reply) -> Reply:
        self.result = result
        return result


def _recipient_command(lease: Lease, recipient: Recipient) -> str | Reply:
    """Return RCPT as the member understands it, or the reply for a member that lacks an extension."""
    offered = frozenset(lease.conversation.extensions)
    lacking = params.missing(recipient.parameters, params.RCPT, offered)
    if lacking:
        return _lacking(lacking)
    words = params.spelled(recipient.parameters, params.RCPT, offered)
    return f"RCPT TO:<{recipient.mailbox.address}>{words}"


def _final(reply: Reply, *, accepts: bool = True) -> Reply:
    """Return a reply that accepts, defers or refuses; `accepts`: only where something can be accepted."""
    return passable(reply) if reply.kind in (4, 5) or (accepts and reply.kind == 2) else OUT_OF_PLACE


def _staying(reply: Reply) -> Reply:
    """Return a reply. Raises MemberError for 421: the member closes, and another one may do better."""
    if reply.status == 421:
        raise MemberError(reply, Failure.UNPROCESSED, reply.text)
    return reply


def _lacking(extension: str) -> Reply:
    """Return the reply for a message that needs an extension that the member lacks."""
    if extension == "SMTPUTF8":
        return reply_of(553, "5.6.7 The mail server does not support SMTPUTF8")
    if extension == "8BITMIME":
        return reply_of(554, "5.6.3 The mail server does not support 8BITMIME")
    return reply_of(555, f"5.5.4 The mail server does not support {extension}")
