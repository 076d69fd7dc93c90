"""Mail routing of the configuration as routes, pools and users. Imported when a listener has `protocol: smtp`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from math import inf

from adc.config.model import match as match_model
from adc.config.model import pools as pool_model
from adc.config.model import smtp as model
from adc.http.networks import Networks
from adc.net.dial import Dialer
from adc.net.names import Names
from adc.pools.pool import Pool
from adc.routing.hosts import HostRule, host_rule
from adc.routing.values import Exact, Regex
from adc.smtp.auth import Authenticator, FileAuthenticator, PoolAuthenticator
from adc.smtp.mail_pool import MailPool
from adc.smtp.path import Mailbox
from adc.smtp.routing import MailMatch, MailRoute, canonical
from adc.smtp.users_file import UsersFile


def mail_routes(smtp: model.Smtp) -> list[MailRoute]:
    """Return the routes of a listener, in order."""
    return [MailRoute(_match(route.match), route.pool) for route in smtp.routes]


def _match(match: model.SmtpMatch) -> MailMatch:
    size = match.size
    return MailMatch(
        rcpt_domain=_hosts(match.rcpt_domain),
        rcpt=_addresses(match.rcpt),
        sender_domain=_hosts(match.sender_domain),
        sender=_addresses(match.sender),
        source=Networks([str(network) for network in match.source]) if match.source else None,
        sni=_hosts(match.sni),
        sizes=None if size is None else (size.min or 0, inf if size.max is None else size.max),
        authenticated=match.authenticated,
    )


def _hosts(rules: Sequence[match_model.HostRule]) -> list[HostRule]:
    return [
        Regex(rule.regex) if rule.regex else host_rule(rule.exact or rule.wildcard or "") for rule in rules
    ]


def _addresses(rules: Sequence[model.AddressRule]) -> list[Exact | Regex]:
    return [
        Regex(rule.regex) if rule.regex is not None else Exact(_spelled(rule.exact or "")) for rule in rules
    ]


def _spelled(address: str) -> str:
    """Return an address of a rule as those of messages are spelled."""
    local, at, domain = address.rpartition("@")
    return canonical(Mailbox(local, domain)) if at else address.lower().replace("<>", "")


def mail_pools(smtp: model.Smtp) -> set[str]:
    """Return the names of the pools that a listener uses."""
    auth = smtp.auth.pool if smtp.auth is not None else None
    return {route.pool for route in smtp.routes} | ({auth} if auth else set())


def mail_pool(
    pool: Pool,
    settings: pool_model.Pool,
    context: ssl.SSLContext | None,
    loop: asyncio.AbstractEventLoop,
    names: Names,
) -> MailPool:
    """Return a pool with dialers for its members. `context` is the pool's for TLS."""
    dialers = {
        each.address.text: Dialer(
            loop,
            each.address.host,
            each.address.port,
            each.address.path,
            interval=settings.dns.interval,
            names=names,
        )
        for each in settings.members
    }
    tls = settings.tls
    return MailPool(
        pool,
        dialers,
        context,
        tls.sni if tls is not None else None,
        starttls=tls is not None and tls.starttls,
        proxy_version=settings.proxy_protocol,
    )


def authenticator(smtp: model.Smtp) -> Authenticator | None:
    """Return what verifies clients, None if nothing does. Raises ValueError, OSError."""
    auth = smtp.auth
    if auth is None:
        return None
    if auth.file is not None:
        return FileAuthenticator(UsersFile(auth.file))
    return PoolAuthenticator(auth.pool or "")
