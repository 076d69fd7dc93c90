"""Which pool receives the mail for a recipient. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adc.http.networks import Networks
from adc.routing.hosts import HostRule, any_host
from adc.routing.values import Exact, Regex
from adc.smtp.path import Mailbox, plain


class MailFacts(NamedTuple):
    """What routes see of one recipient of a message. `size` is what MAIL declared, None if it did not."""

    recipient: Mailbox
    sender: Mailbox
    source: str
    sni: str
    size: int | None
    authenticated: bool


@dataclass(frozen=True, slots=True)
class MailMatch:
    """Conditions; an empty one holds for everything. `sizes` are the smallest and the largest size."""

    rcpt_domain: Sequence[HostRule] = ()
    rcpt: Sequence[Exact | Regex] = ()
    sender_domain: Sequence[HostRule] = ()
    sender: Sequence[Exact | Regex] = ()
    source: Networks | None = None
    sni: Sequence[HostRule] = ()
    sizes: tuple[int, float] | None = None
    authenticated: bool | None = None

    def accepts(self, facts: MailFacts) -> bool:
        """True if all conditions hold."""
        return (
            _domain(self.rcpt_domain, facts.recipient)
            and _address(self.rcpt, facts.recipient)
            and _domain(self.sender_domain, facts.sender)
            and _address(self.sender, facts.sender)
            and (self.source is None or self.source.contains(facts.source))
            and (not self.sni or any_host(self.sni, facts.sni))
            and self._fits(facts.size)
            and (self.authenticated is None or self.authenticated == facts.authenticated)
        )

    def _fits(self, size: int | None) -> bool:
        if self.sizes is None:
            return True
        least, most = self.sizes
        return size is not None and least <= size <= most


def _domain(rules: Sequence[HostRule], mailbox: Mailbox) -> bool:
    return not rules or any_host(rules, domain_of(mailbox))


def domain_of(mailbox: Mailbox) -> str:
    """Return the domain as rules spell it: lower case, internationalised names in their ASCII form."""
    domain = mailbox.domain
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return domain.lower()
    return domain.lower()


def _address(rules: Sequence[Exact | Regex], mailbox: Mailbox) -> bool:
    if not rules:
        return True
    address = canonical(mailbox)
    return any(rule.accepts(address) for rule in rules)


def canonical(mailbox: Mailbox) -> str:
    """Return the address as rules spell it: lower case, without needless quotes, its domain in ASCII."""
    local = plain(mailbox).local.lower()
    return f"{local}@{domain_of(mailbox)}" if mailbox.domain else local


class MailRoute(NamedTuple):
    """The pool for the recipients that `match` accepts."""

    match: MailMatch
    pool: str


def choose(routes: Sequence[MailRoute], facts: MailFacts) -> str | None:
    """Return the pool of the first route that matches, None if none does."""
    for route in routes:
        if route.match.accepts(facts):
            return route.pool
    return None
