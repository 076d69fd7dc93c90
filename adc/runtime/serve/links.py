"""The links of all members: made when a pool begins to serve, carried over by a reload."""

from __future__ import annotations

import ssl

from adc.codecs.http1.link import HttpLink
from adc.codecs.http1.proxied_link import ProxiedLink
from adc.config.model import pools as model
from adc.config.model.address import Address
from adc.config.model.tls import MemberTls
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.dial import Dialer
from adc.net.names import Names
from adc.pools.member import Member
from adc.pools.pool import Pool

_SHARED_SECONDS = 0.5
"""Age of an answer that members of one name share: below the shortest interval of lookups."""


class Links:
    """Gives each member of a pool its link, and keeps the settings of links that are carried over current."""

    def __init__(self, batch: Batch, clock: Clock) -> None:
        self._batch = batch
        self._clock = clock
        self._names = Names(batch.loop, _SHARED_SECONDS)
        self._dialers: dict[Member, Dialer] = {}
        self._spoken: dict[Member, tuple[MemberTls | None, str | None]] = {}

    def attach(self, pool: Pool, settings: model.Pool, tls: ssl.SSLContext | None = None) -> None:
        """Give every member a link if it has none or is to be spoken to in another way (TLS, PROXY protocol) from now
        on; bring the others' settings up to date.
        """
        addresses = {member.address.text: member.address for member in settings.members}
        keep_alive = settings.keep_alive
        spoken = (settings.tls, settings.proxy_protocol)
        for member in pool.members:
            if member.link is None or self._spoken.get(member) != spoken:
                self._spoken[member] = spoken
                self._attach(member, addresses[member.address], settings)
            self._dialers[member].secure(tls, settings.tls.sni if settings.tls is not None else None)
            member.link.idle_timeout = keep_alive.idle
            member.link.max_idle = keep_alive.max_idle if keep_alive.idle else 0

    def _attach(self, member: Member, address: Address, settings: model.Pool) -> None:
        dialer = Dialer(
            self._batch.loop,
            address.host,
            address.port,
            address.path,
            interval=settings.dns.interval,
            names=self._names,
        )
        link: HttpLink
        if settings.proxy_protocol is None:
            link = HttpLink(self._batch, self._clock, dialer)
        else:
            link = ProxiedLink(self._batch, self._clock, dialer)
            link.announce(dialer, settings.proxy_protocol)
        dialer.moved = link.close_idle
        if member.link is not None:
            member.link.retire()
            link.predecessor = member.link
        member.link = link
        self._dialers[member] = dialer

    def retire(self, member: Member) -> None:
        """Close the connections of a member that was removed from the configuration."""
        member.link.retire()
        self._dialers.pop(member, None)
        self._spoken.pop(member, None)

    @property
    def idle(self) -> int:
        """Return the number of idle connections."""
        return sum(member.link.idle for member in self._dialers)

    def close_idle(self) -> None:
        """Close the idle connections."""
        for member in self._dialers:
            member.link.close_idle()

    def tick(self, now: float) -> None:
        """Reap idle connections and look names up again."""
        for member, dialer in self._dialers.items():
            member.link.reap(now)
            dialer.refresh(now)
