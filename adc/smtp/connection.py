"""Messages of a client: MAIL, RCPT, DATA and RSET."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from adc.smtp import parameters as params
from adc.smtp.content import BadContent, ContentScanner
from adc.smtp.delivery import Recipient, Sender
from adc.smtp.hops import HopCounter
from adc.smtp.introduction import Introduction
from adc.smtp.line_reader import SessionEnded
from adc.smtp.mail_log import MailRefusal
from adc.smtp.path import parse_recipient, parse_sender, split_path
from adc.smtp.replies import Reply, reply_of
from adc.smtp.session_protocol import CLOSING, COMMAND_BYTES
from adc.smtp.transaction import Transaction

OK = reply_of(250, "2.0.0 Ok")
SENDER_OK = reply_of(250, "2.1.0 Ok")
BAD_SENDER = reply_of(501, "5.1.7 Syntax: MAIL FROM:<address>")
BAD_RECIPIENT = reply_of(501, "5.1.3 Syntax: RCPT TO:<address>")
NEEDS_UTF8 = reply_of(553, "5.6.7 Other than ASCII characters need SMTPUTF8")
NESTED = reply_of(503, "5.5.1 A message has begun already")
NO_MAIL = reply_of(503, "5.5.1 MAIL is needed first")
NO_RECIPIENT = reply_of(554, "5.5.1 No valid recipients")
TOO_LARGE = reply_of(552, "5.3.4 Message too large")
MOST_GROUP: Final = 50
"""Recipients that members get together."""


class SmtpConnection(Introduction):
    """A client connection that relays messages."""

    def __init__(self, *arguments: Any) -> None:
        self._transaction: Transaction | None = None
        self._utf8 = False
        self._messages = 0
        self._deciding = False
        super().__init__(*arguments)

    @property
    def in_transaction(self) -> bool:
        return self._transaction is not None

    @property
    def must_finish(self) -> bool:
        return self._deciding

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if not self._deciding:
            self._end_transaction()

    def reset(self) -> None:
        super().reset()
        self._end_transaction()

    def _end_transaction(self, client_status: int = 0) -> None:
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.record(client_status)
            transaction.close()
            if self._ended:
                self.close_idle_leases()

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if await self.check_helo_needed() or await self.check_auth_needed("MAIL"):
            return
        if self._transaction is not None:
            await self.say(NESTED)
            return
        if self.leaving or (self.retiring and self._messages) or self._worn_out():
            self.hang_up(CLOSING)
            raise SessionEnded("closing")
        reply = self._begin(arg or "")
        if reply.kind != 2:
            self._record_refusal(arg or "", reply)
        await self.say(reply, more=True)

    def _record_refusal(self, sender: str, reply: Reply) -> None:
        identity = self.caller.identity(self.settings.name)
        self.settings.record(MailRefusal(*identity, sender, "", "", "", reply.status, reply.text))

    def _worn_out(self) -> bool:
        limit = self.settings.message_limit
        return 0 < limit <= self._messages

    def _begin(self, arg: str) -> Reply:
        """Begin a message; return the reply to MAIL."""
        settings = self.settings
        parts = split_path(arg, "FROM:")
        sender = parse_sender(parts[0]) if parts is not None else None
        if parts is None or sender is None:
            return BAD_SENDER
        try:
            found = self._parameters(parts[1], params.MAIL)
            params.check_mail(found)
            size = params.declared_size(found)
        except params.BadParameters as error:
            return error.reply
        if size is not None and size > settings.size_limit:
            return TOO_LARGE
        self._utf8 = "SMTPUTF8" in found
        if not sender.ascii and not self._utf8:
            return NEEDS_UTF8
        self._transaction = Transaction(
            settings, self.caller, Sender(sender, found), size, self.idle_leases, self.logins
        )
        return SENDER_OK

    def _parameters(self, text: str, known: Any) -> dict[str, str]:
        if not self.caller.extended:
            extensions = frozenset[str]()
        else:
            auth = ("AUTH",) if self.settings.auth is not None else ()
            extensions = frozenset(("SIZE", "8BITMIME", *auth)) | self.settings.extensions
        return params.parse_parameters(text, known, extensions)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        transaction = self._transaction
        if transaction is None:
            await self.say(NO_MAIL)
            return
        await asyncio.sleep(0)  # a client may send thousands at once
        recipient = self._recipient(arg or "")
        if isinstance(recipient, Reply):
            reply = recipient
            transaction.record_refusal(arg or "", reply)
        else:
            if self._lines.has_line and transaction.room > 1:
                transaction.announce(self._group(recipient, min(transaction.room, MOST_GROUP)))
            with self.waiting():
                reply = await transaction.add(recipient)
            self.flow.pool, self.flow.member = transaction.last
        self.recipient_counted(reply)
        await self.say(reply, more=True)

    def _group(self, first: Recipient, most: int) -> list[Recipient]:
        """Return `first` and the valid recipients in the RCPT commands that are here already, at most `most`."""
        group = [first]
        for line in self._lines.ahead(b"RCPT ", most - 1):
            argument = str(line[5:].strip(), "utf-8", "surrogateescape")
            recipient = self._recipient(argument) if len(line) <= COMMAND_BYTES else None
            if isinstance(recipient, Recipient):
                group.append(recipient)
        return group

    def _recipient(self, arg: str) -> Recipient | Reply:
        """Return the recipient in the argument of RCPT, or the reply to a malformed one."""
        parts = split_path(arg, "TO:")
        mailbox = parse_recipient(parts[0]) if parts is not None else None
        if parts is None or mailbox is None:
            return BAD_RECIPIENT
        if not mailbox.ascii and not self._utf8:
            return NEEDS_UTF8
        try:
            found = self._parameters(parts[1], params.RCPT)
        except params.BadParameters as error:
            return error.reply
        return Recipient(mailbox, found)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        transaction = self._transaction
        if arg:
            await self.say(reply_of(501, "5.5.4 DATA has no parameters"))
        elif transaction is None:
            await self.say(NO_MAIL)
        elif not transaction.recipients:
            await self.say(NO_RECIPIENT)
        else:
            with self.waiting():
                reply = await transaction.begin_content()
            if reply.status == 354:
                await self.say(reply_of(354, "End data with <CR><LF>.<CR><LF>"))
                reply = await self._receive(transaction)
            self._done(reply)
            await self.say(reply)
            if self.leaving:
                self.hang_up(CLOSING)
                raise SessionEnded("closing")

    def _done(self, reply: Reply) -> None:
        self._end_transaction(reply.status if self.transport is not None else 0)
        if reply.kind == 2:
            self._messages += 1
            self.message_done()

    async def _receive(self, transaction: Transaction) -> Reply:
        """Read the content and send it to the members; return their decision."""
        settings = self.settings
        scanner = ContentScanner(settings.size_limit, settings.line_limit)
        hops = HopCounter(settings.hop_limit)
        refusal: Reply | None = None
        began = settings.clock.now
        if settings.received:
            transaction.buffer(self.caller.received(settings.hostname, settings.clock.wall))
        while not scanner.ended:
            data = await self._next(began)
            try:
                piece = scanner.feed(data)
                transaction.size = scanner.size
                if hops.in_header:
                    hops.feed(piece)
            except BadContent as error:
                refusal = self._refuse(transaction, scanner, error)
            else:
                if scanner.ended and transaction.single:
                    transaction.buffer(piece)  # goes out with the end
                elif piece and refusal is None and not await self._write(transaction, piece):
                    refusal = transaction.failure
                    scanner.refused = True
        self._lines.give_back(scanner.rest)
        return await self._decide(transaction) if refusal is None else refusal

    def _refuse(self, transaction: Transaction, scanner: ContentScanner, error: BadContent) -> Reply:
        """End the message for its content; the rest of it is read, unless the connection cannot be trusted."""
        reply = transaction.refuse(error)
        transaction.size = scanner.size
        self.settings.refuse(error.reason, self.peer, f"message from <{transaction.sender}>")
        if error.hangs_up:
            self._done(reply)
            self.hang_up(reply)
            raise SessionEnded(error.reason)
        scanner.refused = True
        return reply

    async def _next(self, began: float) -> bytes:
        settings = self.settings
        self.deadline = min(settings.clock.now + settings.content_timeout, began + settings.message_timeout)
        return await self._lines.read()

    async def _write(self, transaction: Transaction, data: bytes) -> bool:
        with self.waiting():
            return await transaction.write(data)

    async def _decide(self, transaction: Transaction) -> Reply:
        """Return what the members say to the whole message, even if the client does not wait for it."""
        self._deciding = True
        try:
            with self.waiting():
                return await transaction.end_content()
        finally:
            self._deciding = False

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        self.reset()
        await self.say(OK, more=True)

    async def smtp_NOOP(self, arg: str) -> None:  # noqa: N802
        await self.say(OK)

    async def smtp_VRFY(self, arg: str) -> None:  # noqa: N802
        await self.say(reply_of(252, "2.5.0 Send mail, and the mail server will try to deliver it"))

    async def smtp_HELP(self, arg: str) -> None:  # noqa: N802
        await self.say(reply_of(214, "2.0.0 See RFC 5321"))

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        await self.say(reply_of(221, "2.0.0 Bye"))
        self.finish()
        raise SessionEnded("QUIT")
