"""Asking a member for a response that a cache wants."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING

from adc.cache.collapse import Outcome, Role
from adc.cache.policy import Hit, Miss, Revalidate, Stale, lookup, without_conditions
from adc.http.headers import Headers
from adc.http.message import NOBODY
from adc.proxy.caching.audience import Audience, Watched
from adc.proxy.caching.collapse import CollapseLease
from adc.proxy.caching.question import Question
from adc.proxy.caching.route_cache import RouteCache
from adc.proxy.exchange import Exchange
from adc.proxy.states import AWAITING, ENDED
from adc.proxy.upstream.endpoints import client_endpoints
from adc.proxy.upstream.request import NO_FIELDS

if TYPE_CHECKING:
    from adc.net.proxy_protocol import Endpoints

_FOR_ITSELF = frozenset({b"range", b"if-range", b"cache-control", b"pragma"})
"""Fields of the request behind a background validation that are not part of it."""


class FetchRequest(Watched):
    """Request side of a `Fetch`: the lease, the conditions, the dispatch, and the end.

    `role` LEAD: others wait for it; `woken`: others' leader let it go alone, and it reports when it is done. Without an
    exchange to answer it validates in the background. It is counted and logged with the exchanges that it answers, not
    by itself.
    """

    __slots__ = ("_cache", "_client", "_question", "_turn", "audience")

    def __init__(
        self,
        cache: RouteCache,
        exchange: Exchange,
        key: bytes,
        decision: Miss | Revalidate | Stale,
        role: Role,
        woken: bool = False,
    ) -> None:
        super().__init__(exchange.context, exchange.request, exchange.target, exchange.request_id)
        self.decided = exchange.decided
        self.timeouts = exchange.timeouts
        self.body_end = True
        background = isinstance(decision, Stale)
        self._client = NOBODY if background else exchange.stream.client
        self._cache = cache
        trusted = exchange.context.trusts(exchange.request.client.peer)
        self._question = Question(exchange.request, key, decision, cache.store.tiers, cache.options, trusted)
        self._turn = CollapseLease(cache.store, key, role, woken)
        self.audience = Audience(self)
        self.response_trailers = NO_FIELDS
        self.plugins = None if exchange.plugins is None else exchange.plugins.fetching(self)
        if not background:
            self.audience.add(exchange)

    def begin(self) -> None:
        """Ask the member, or wait until a worker that asks already is done."""
        self._cache.store.users += 1
        self.context.active.add(self)
        if self._turn.begin(self._lease_may_be_free):
            self._ask()
        elif not self.audience.followers:  # another worker validates it
            self.end("")

    def _lease_may_be_free(self) -> None:
        """Look again: another worker is done with some key, or took too long."""
        now, question = time.time(), self._question
        entries = question.tiers.find(question.key, now)
        decision = lookup(question.asked, entries, now, question.options)
        if isinstance(decision, Hit | Stale):
            self._look_again()
        elif self._turn.begin(self._lease_may_be_free):
            self._ask()

    def _look_again(self) -> None:
        """Have all followers look in the store, which has the response by now."""
        followers, cache, key = self.audience.dismiss(), self._cache, self._question.key
        for follower in followers:
            follower.finish()
        self._turn.settle(Outcome.FILLED)
        self.end("")
        for follower in followers:
            follower.exchange.attempt = None
            cache.look(follower.exchange, key, Role.FOLLOW)

    def _ask(self) -> None:
        """Send the request, with the conditions of what is held."""
        question = self._question
        held, asked = question.held, question.asked
        background = not self.audience.followers
        if held is not None and (held.conditions or background):
            lines = without_conditions(asked.headers.pairs)
            if background:
                lines = [pair for pair in lines if pair[0].lower() not in _FOR_ITSELF]
                asked = question.asked = asked.with_headers(Headers(lines))
            self.request = asked.with_headers(Headers((*lines, *held.conditions)))
        self._send()

    def _ask_plainly(self) -> None:
        """Send the request again as the client wrote it, because the stored response turned out to be useless."""
        question = self._question
        self.request, question.held, self.attempt = question.asked, None, None
        self.state = AWAITING
        if self.plugins is not None:
            self.plugins.open = False
        self._send()

    def _send(self) -> None:
        question = self._question
        question.mark = question.tiers.mark()
        question.sent_at = time.time()
        self._cache.following(self)

    @property
    def endpoints(self) -> Endpoints | None:
        """Return the endpoints of the client whose request is sent, so that the member does not record the proxy's."""
        return client_endpoints(self._client, self.request.source, self.request.client.peer)

    def end(self, reason: str) -> None:
        if self.state == ENDED:
            return
        self.state = ENDED
        self.deadline = inf
        if self.plugins is not None:
            plugins, self.plugins = self.plugins, None
            plugins.ended()
        self.audience.end()
        self.attempt = self.response_gate = None
        self.context.active.discard(self)
        shared = self._cache.store
        shared.unattended.forget(self)
        shared.users -= 1
        shared.refreshing.discard(self._question.key)
        self._turn.end()
