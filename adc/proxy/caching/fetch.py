"""Asking the member on behalf of a client, of all who wait for the same, or of the cache alone."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING

from adc.cache.collapse import Outcome, Role
from adc.cache.filling import Filling
from adc.cache.policy import Hit, Miss, Revalidate, Stale, lookup, takes_stale, without_conditions
from adc.cache.status import forwarded
from adc.cache.storable import Store, store
from adc.cache.validation import STALE_ERRORS
from adc.cache.vary import matches
from adc.http.headers import Headers, Pair
from adc.http.message import Response
from adc.proxy.caching.aside import Aside
from adc.proxy.caching.collapse import CollapseLease, Waiting
from adc.proxy.caching.fill import Fill, Follower
from adc.proxy.caching.revalidate import confirmed, drop_replaced, outdated, stand_in, told_by_head
from adc.proxy.exchange import Exchange

if TYPE_CHECKING:
    from adc.proxy.caching.cache_stage import CacheStage

_FOR_ITSELF = frozenset({b"range", b"if-range", b"cache-control", b"pragma"})
"""Fields of the request behind a background validation that are not part of it."""


class Fetch(Exchange):
    """An exchange with the member whose response goes into the store and to the exchanges in `sources`.

    `held` is what the store has to validate or to stand in with. `role` LEAD: others wait for it; `woken`:
    others' leader let it go alone, and it tells when it is done. Without an exchange to answer it validates
    in the background. It is counted and logged with the exchanges that it answers, not by itself.
    """

    __slots__ = (
        "aside",
        "asked",
        "fill",
        "held",
        "key",
        "mark",
        "paused",
        "sent_at",
        "sources",
        "stage",
        "turn",
        "why",
    )

    def __init__(
        self,
        stage: CacheStage,
        exchange: Exchange,
        key: bytes,
        decision: Miss | Revalidate | Stale,
        role: Role,
        woken: bool = False,
    ) -> None:
        self.aside = Aside(self, None if isinstance(decision, Stale) else exchange.stream)
        super().__init__(exchange.service, self.aside, exchange.request)
        self.pipeline = exchange.pipeline
        self.target = exchange.target
        self.request_id = exchange.request_id
        self.body_end = True
        self.stage = stage
        self.asked = exchange.request
        self.key = key
        self.held = None if isinstance(decision, Miss) else decision
        self.why = "stale" if isinstance(decision, Stale) else decision.why
        self.turn = CollapseLease(stage.store, key, role, woken)
        self.fill: Fill | None = None
        self.sources: list[Follower] = []
        self.paused = False
        self.mark = 0
        self.sent_at = 0.0
        if not isinstance(decision, Stale):
            self.sources.append(Follower(exchange, self))

    # Before the member is asked.

    def begin(self) -> None:
        """Ask the member, or wait until a worker that asks already is done."""
        shared = self.stage.store
        shared.users += 1
        self.service.active.add(self)
        if self.turn.begin(self):
            self.ask()
        elif not self.sources:  # another worker validates it
            self.end("")

    def lease_may_be_free(self) -> None:
        """Another worker is done with some key, or took too long."""
        now = time.time()
        entries = self.stage.store.tiers.find(self.key, now)
        decision = lookup(self.asked, entries, now, self.stage.options)
        if isinstance(decision, Hit | Stale):
            self._look_again()
        elif self.turn.begin(self):
            self.ask()

    def _look_again(self) -> None:
        """The store has it by now: let everybody look."""
        sources, self.sources = self.sources, []
        for source in sources:
            source.finish()
        self.turn.settle(Outcome.FILLED)
        self.end("")
        for source in sources:
            source.exchange.attempt = None
            self.stage.look(source.exchange, self.key, Role.FOLLOW)

    def ask(self) -> None:
        """Send the request, with the conditions of what is held."""
        held, headers = self.held, self.asked.headers
        background = not self.sources
        if held is not None and (held.conditions or background):
            lines = without_conditions(headers.pairs)
            if background:
                lines = [pair for pair in lines if pair[0].lower() not in _FOR_ITSELF]
                self.asked = self.asked.with_headers(Headers(lines))
            self.request = self.asked.with_headers(Headers((*lines, *held.conditions)))
        self.mark = self.stage.store.tiers.mark()
        self.sent_at = time.time()
        self.stage.following(self)

    def ask_plainly(self) -> None:
        """Send the request again as the client wrote it, because the stored response turned out to be useless."""
        self.request, self.held, self.attempt = self.asked, None, None
        self.head_sent = False
        self.mark = self.stage.store.tiers.mark()
        self.sent_at = time.time()
        self.stage.following(self)

    # What the member says.

    def respond(self, response: Response, body: bytes, end: bool) -> None:
        self.head_sent = True
        self.status = response.status
        now = time.time()
        held = self.held
        if held is not None and held.conditions and response.status == 304:
            confirmed(self, held.entry, response, now)
            return
        if response.status in STALE_ERRORS and self.may_stand_in:
            stand_in(self, f"status {response.status}")
            return
        if self.asked.method == "HEAD":
            told_by_head(self, response, now)
        trusted = self.service.trusts(self.asked.client.peer)
        verdict = store(
            self.key, self.asked, response, self.sent_at, now, self.stage.options, peer_trusted=trusted
        )
        self.stage.store.counters.misses += 1
        if isinstance(verdict, Store):
            self._store(verdict, response, body, end)
        else:
            if held is not None and verdict.lasting:
                outdated(self, held.entry, response)
            self._pass(response, body, end, verdict.reason, verdict.lasting)

    @property
    def may_stand_in(self) -> bool:
        """True if the stored response may answer should the member fail."""
        return isinstance(self.held, Revalidate) and self.held.if_error

    def _store(self, verdict: Store, response: Response, body: bytes, end: bool) -> None:
        shared, entry = self.stage.store, verdict.entry
        fill = self.fill = Fill(Filling(shared.tiers, entry, response.body_length, self.mark))
        leaders = tuple(self.sources)
        self._take_followers(verdict)
        fill.take(body)
        stored = True
        if end:
            stored = self._commit(fill)
        status = self.cache_status(response.status, stored=stored, ttl=verdict.ttl)
        response.headers.add(b"Cache-Status", status)
        followers = self.sources[len(leaders) :]
        for source in leaders:
            self._begin(source, response, body, end, "miss")
        if followers:
            age = b"%d" % entry.terms.age(time.time())
            status = self.cache_status(entry.status, stored=stored, ttl=verdict.ttl, collapsed=True)
            lines = (*entry.headers.pairs, (b"Age", age), (b"Cache-Status", status))
            for source in followers:
                head = Response(entry.status, Headers(lines), entry.reason, response.body_length, dated=True)
                shared.counters.collapsed += 1
                self._begin(source, head, body, end, "collapsed")
        self._went_on(end)

    def _take_followers(self, verdict: Store) -> None:
        """Serve the followers that may have this response; the others continue when the outcome is known."""
        entry = verdict.entry
        if not self.turn.leads:
            return
        if verdict.ttl <= 0 or entry.terms.always_validate or entry.part is not None:
            self.turn.settle(Outcome.UNCACHEABLE)
        elif not self.stage.store.tiers.purged(entry, self.mark):  # else they may have come after the purge
            self.take_waiting(entry.varying)

    def _pass(self, response: Response, body: bytes, end: bool, reason: str, lasting: bool) -> None:
        """Only the client that asked may have this response."""
        fill = self.fill = Fill(None)
        fill.take(body)
        fill.complete = end
        self.turn.settle(Outcome.UNCACHEABLE if lasting else Outcome.FAILED)
        if not self.sources:
            self.abandon()
            return
        response.headers.add(b"Cache-Status", self.cache_status(response.status, detail=reason))
        self._begin(self.sources[0], response, body, end, "miss")
        self._went_on(end)

    def _begin(self, source: Follower, response: Response, body: bytes, end: bool, word: str) -> None:
        """Send the head to one of `sources`."""
        exchange = source.exchange
        exchange.cache = word
        source.position = len(body)
        self.tell(source)
        if end:
            source.finish()
        exchange.respond(response, body, end)

    def respond_body(self, data: bytes, end: bool) -> None:
        fill = self.fill
        if fill is None or self.finished_at:
            return
        fill.take(data)
        if end:
            self._commit(fill)
        else:
            self.turn.renew(self.service.clock.now)
        fill.give(data, end, tuple(self.sources))
        self._went_on(end)

    def _commit(self, fill: Fill) -> bool:
        """All has come: store it before anybody can know and ask again."""
        fill.complete = True
        entry = fill.commit(self.stage.store.tiers, self.mark)
        stored = entry is not None
        if entry is not None:
            drop_replaced(self, entry)
        self.turn.settle(Outcome.FILLED if stored else Outcome.FAILED)
        return stored

    def _went_on(self, end: bool) -> None:
        """A piece was passed on, maybe the last: what that means to the member."""
        fill = self.fill
        if fill is None or self.finished_at:
            return
        fill.drop_unread(self.sources)
        if end:
            self.end("")
        elif not (self.sources or self._wanted()):
            self.abandon()
        else:
            if not fill.stored:
                self.pace()
            if not self.paused:
                self.limit("idle", self.pipeline_idle)

    def _wanted(self) -> bool:
        """True if the response is worth finishing though no client receives it."""
        fill = self.fill
        if fill is None:
            return self.turn.waited_for
        return fill.stored and self.stage.store.unattended.admit(self, fill.remaining)

    # Those who get the response.

    def take_waiting(
        self, varying: tuple[tuple[bytes, bytes | None], ...], stale: bool = False
    ) -> list[Follower]:
        """Make those sources that wait and are served by the same variant. Returns them. With `stale` only those that
        accept a stale response.
        """
        if not self.turn.leads:
            return []
        options = self.stage.options

        def fits(each: Waiting) -> bool:
            request = each.exchange.request
            if stale and not takes_stale(request, options):
                return False
            return matches(varying, request.headers, options.key.counted_cookies)

        waiting = self.stage.store.flights.take(self.key, fits)
        taken = []
        for each in waiting:
            each.finish()
            taken.append(Follower(each.exchange, self))
        self.sources += taken
        return taken

    def tell(self, source: Follower) -> None:
        """Give the exchange of a source what its log record and a sticky pool need to know."""
        exchange = source.exchange
        exchange.pool, exchange.member = self.pool, self.member
        exchange.attempts, exchange.upstream_elapsed = self.attempts, self.upstream_elapsed
        attempt = self.attempt
        if attempt is not None and exchange.cache == "miss":
            source.asked = attempt.answered_by
            exchange.sticky = self.sticky

    def left(self, source: Follower) -> None:
        """The client of a source is gone. What can still be stored, or has others waiting, goes on."""
        if source in self.sources:
            self.sources.remove(source)
        fill = self.fill
        if fill is not None:
            fill.drop_unread(self.sources)
        if self.sources or self.finished_at or self._wanted():
            self.pace()
        else:
            self.abandon()

    def released(self, source: Follower) -> None:
        """A source that read on after the end has all it wants."""
        if self.finished_at and source in self.sources:
            self.sources.remove(source)

    def pace(self) -> None:
        """Hold the member up while every client is slow, and while one is that cannot read the rest later."""
        attempt = self.attempt
        connection = None if attempt is None or attempt.over else attempt.connection
        if connection is None:
            return
        blocked = [source.blocked for source in self.sources]
        hold = any(blocked) and (all(blocked) or self.fill is None or not self.fill.stored)
        if hold and not self.paused:
            self.paused = True
            connection.pause_reading()
            self.deadline = self.total_at
        elif self.paused and not hold:
            self.paused = False
            connection.resume_reading()
            self.await_next()

    # The end.

    def fail(self, status: int, reason: str, proxy_status: str = "", lines: tuple[Pair, ...] = ()) -> None:
        if self.finished_at:
            return
        if self.attempt is not None:
            self.attempt.cancel()
        if self.fill is not None:
            self.fill.abort(reason)
        elif self.may_stand_in:
            stand_in(self, reason)
            return
        elif self.held is not None and self.held.entry.terms.must_revalidate:
            status = 504  # RFC 9111 section 5.2.2.2
        told = forwarded(self.stage.options.name, self.why, detail=reason.replace("_", " "))
        sources, self.sources = self.sources, []
        for source in sources:
            source.exchange.cache = "miss"
            self.tell(source)
            source.finish()
            source.exchange.fail(status, reason, proxy_status, (*lines, (b"Cache-Status", told)))
        self.end(reason)

    def _break_off(self, reason: str) -> None:
        self.fail(502, reason)

    def abandon(self) -> None:
        """Cancel the fetch, because nothing needs the response."""
        if self.attempt is not None:
            self.attempt.cancel()
        if self.fill is not None:
            self.fill.abort("nobody wants it")
        self.end("")

    def end(self, reason: str) -> None:
        if self.finished_at:
            return
        self.finished_at = time.monotonic()
        self.deadline = inf
        self.attempt = None
        self.aside.release()
        self.sources = [source for source in self.sources if not source.over]
        self.service.active.discard(self)
        shared = self.stage.store
        shared.unattended.forget(self)
        shared.users -= 1
        shared.refreshing.discard(self.key)
        self.turn.end(self)

    def cache_status(
        self,
        status: int,
        *,
        stored: bool = False,
        collapsed: bool = False,
        ttl: float | None = None,
        detail: str = "",
    ) -> bytes:
        """Return the Cache-Status of this fetch."""
        return forwarded(
            self.stage.options.name,
            self.why,
            status=status,
            stored=stored,
            collapsed=collapsed,
            ttl=ttl,
            detail=detail,
        )
