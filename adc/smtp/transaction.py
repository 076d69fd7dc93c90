"""One message: its sender, its recipients by pool, its content to all of them, and one reply for the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from adc.smtp.caller import Caller
from adc.smtp.content import BadContent
from adc.smtp.conversation import Credentials
from adc.smtp.delivery import Delivery, Recipient, Sender
from adc.smtp.mail_log import MailRecord, MailRefusal, names
from adc.smtp.replies import Reply, joined, reply_of
from adc.smtp.routing import MailFacts, choose

if TYPE_CHECKING:
    from adc.smtp.lease import Lease
    from adc.smtp.settings import SmtpSettings

NO_ROUTE = reply_of(550, "5.1.2 No route for this recipient")
TOO_MANY = reply_of(452, "4.5.3 Too many recipients")
OTHER_POOL = reply_of(452, "4.5.3 Send this recipient in another transaction")
INCOMPLETE = reply_of(451, "4.4.2 The message was not received whole")


class Transaction:
    """A message from MAIL to the reply to its content.

    `idle_leases` maps pools to conversations of earlier messages; the ones that still work are put back at the end.
    `logins` maps the pool that verified the client to its credentials. `declared` is the size in MAIL, None without.
    `size` is the size of the content that was read, in bytes.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        caller: Caller,
        sender: Sender,
        declared: int | None,
        idle_leases: dict[str, Lease],
        logins: Mapping[str, Credentials],
    ) -> None:
        self._settings = settings
        self._caller = caller
        self._sender = sender
        self._declared = declared
        self._idle_leases = idle_leases
        self._logins = logins
        self._deliveries: dict[str, Delivery] = {}
        self._routes = settings.routes
        self._pools = settings.pools
        self._began = monotonic()  # the worker's clock is coarser than a message takes
        self._content = False
        self.size = 0
        self.failure = INCOMPLETE
        self._last = ""
        self._announced = 0
        self._coming: dict[str, list[Recipient]] = {}

    @property
    def recipients(self) -> int:
        """The number of accepted recipients."""
        return sum(len(delivery.recipients) for delivery in self._deliveries.values())

    @property
    def room(self) -> int:
        """The number of recipients that may be announced now."""
        return 0 if self._announced > 0 else self._settings.recipient_limit - self.recipients

    @property
    def single(self) -> bool:
        """True if one pool gets the message: nothing else then happens between its content and its end."""
        return len(self._deliveries) == 1

    @property
    def sender(self) -> str:
        """The sender's address."""
        return self._sender.mailbox.address

    @property
    def last(self) -> tuple[str, str]:
        """Pool and member of the last recipient, "" if it has none."""
        return self._last, self._deliveries[self._last].member if self._last in self._deliveries else ""

    def announce(self, recipients: Sequence[Recipient]) -> None:
        """Note the recipients that the next calls of `add` offer, so that members get them together."""
        self._announced = len(recipients)
        by_pool: dict[str, list[Recipient]] = {}
        for recipient in recipients:
            by_pool.setdefault(self._pool_of(recipient) or "", []).append(recipient)
        self._coming = by_pool

    async def add(self, recipient: Recipient) -> Reply:
        """Offer a recipient to the pool that its route names; the reply is the member's."""
        self._announced -= 1
        name, reply = await self._offer(recipient)
        if reply.kind != 2:
            self.record_refusal(recipient.mailbox.address, reply, name)
        return reply

    async def _offer(self, recipient: Recipient) -> tuple[str, Reply]:
        """Return the pool of a recipient, "" if none was asked, and the reply."""
        if self.recipients >= self._settings.recipient_limit:
            return "", TOO_MANY
        name = self._pool_of(recipient)
        if name is None:
            return "", NO_ROUTE
        delivery = self._deliveries.get(name)
        if delivery is None:
            if not self._settings.split and any(each.recipients for each in self._deliveries.values()):
                return "", OTHER_POOL
            delivery = self._deliveries[name] = self._deliver(name)
        self._last = name
        return name, await delivery.add(recipient, self._coming.pop(name, ()))

    def _pool_of(self, recipient: Recipient) -> str | None:
        caller = self._caller
        facts = MailFacts(
            recipient.mailbox,
            self._sender.mailbox,
            caller.client.peer,
            caller.client.sni,
            self._declared,
            bool(caller.login),
        )
        return choose(self._routes, facts)

    def _deliver(self, name: str) -> Delivery:
        pool, lease = self._pools[name], self._idle_leases.pop(name, None)
        if lease is not None and not pool.uses(lease.member):
            lease.close()
            lease = None
        return Delivery(pool, self._settings, self._caller, self._sender, lease, self._logins.get(name))

    async def begin_content(self) -> Reply:
        """Send DATA to every pool; 354 if all of them want the content."""
        self._content = True
        for name in [name for name, delivery in self._deliveries.items() if not delivery.recipients]:
            self._put_back(name, self._deliveries.pop(name))
        reply = INCOMPLETE
        for delivery in self._deliveries.values():
            reply = await delivery.begin_content()
            if reply.status != 354:
                self.abandon(reply)
                return reply
        return reply

    def buffer(self, data: bytes) -> None:
        """Buffer content for every pool until the next write."""
        for delivery in self._deliveries.values():
            delivery.buffer(data)

    async def write(self, data: bytes) -> bool:
        """Send content to every pool, as fast as the slowest reads; False once the message cannot be accepted by any.

        A member that is lost before the end ends the message for all: none of them has accepted it yet.
        """
        for delivery in self._deliveries.values():
            await delivery.write(data)
            if delivery.result is not None:
                self.failure = _later(delivery.result)
                self.abandon(self.failure)
                return False
        return True

    async def end_content(self) -> Reply:
        """End the message at one pool after the other and return the reply for the client.

        While no pool has accepted the message, a refusal ends it for the others too, so that nobody gets it twice.
        """
        accepted = False
        for delivery in self._deliveries.values():
            await delivery.end_content()
            assert delivery.result is not None
            if delivery.result.kind == 2:
                accepted = True
            elif not accepted:
                self.abandon(delivery.result)
        return joined([delivery.outcome for delivery in self._deliveries.values()])

    def abandon(self, cause: Reply) -> None:
        """End all deliveries that have not ended."""
        for delivery in self._deliveries.values():
            delivery.abandon(cause)

    def refuse(self, error: BadContent) -> Reply:
        """End the message for its content and return the reply."""
        reply = reply_of(error.status, f"{error.code} {error}")
        self.abandon(reply)
        return reply

    def close(self) -> None:
        """Release the conversations; the ones that work are kept for the next message."""
        for name, delivery in self._deliveries.items():
            self._put_back(name, delivery)
        self._deliveries = {}

    def _put_back(self, name: str, delivery: Delivery) -> None:
        lease = delivery.take_lease()
        if lease is not None:
            self._idle_leases[name] = lease

    def record(self, client_status: int) -> None:
        """Count and log the results of a message that has content; `client_status` is what the client was reply."""
        settings, caller = self._settings, self._caller
        for name, delivery in self._deliveries.items() if self._content else ():
            result = delivery.result or INCOMPLETE
            key = (name, ("accepted", "deferred", "rejected")[(2, 4, 5).index(result.kind)])
            settings.counts[key] = settings.counts.get(key, 0) + 1
            addresses = [each.mailbox.address for each in delivery.recipients]
            settings.record(
                MailRecord(
                    *caller.identity(settings.name),
                    self.sender,
                    len(addresses),
                    names(addresses),
                    self.size,
                    round(monotonic() - self._began, 3),
                    name,
                    delivery.member,
                    result.status,
                    result.text,
                    client_status,
                )
            )

    def record_refusal(self, recipient: str, reply: Reply, name: str = "") -> None:
        """Log a rejected recipient of the pool `name`, "" if no pool was asked."""
        settings, member = self._settings, self._deliveries[name].member if name else ""
        identity = self._caller.identity(settings.name)
        settings.record(
            MailRefusal(*identity, self.sender, recipient, name, member, reply.status, reply.text)
        )


def _later(result: Reply) -> Reply:
    """Return the reply for a member that ended a message in the middle of it."""
    return result if result.kind in (4, 5) else INCOMPLETE
