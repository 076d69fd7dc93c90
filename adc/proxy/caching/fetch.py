"""Fetching from the member for a client, for all requests that wait for the same response, or for the cache alone."""

from __future__ import annotations

import time
from math import inf

from adc.cache.collapse import Outcome
from adc.cache.entry import Entry
from adc.cache.filling import Filling
from adc.cache.policy import takes_stale
from adc.cache.storable import Store, store
from adc.cache.validation import STALE_ERRORS
from adc.cache.vary import matches
from adc.http.headers import Headers, Pair
from adc.http.message import Response
from adc.proxy.caching.audience import Follower
from adc.proxy.caching.fetch_request import FetchRequest
from adc.proxy.caching.fill import Fill
from adc.proxy.caching.parked import Parked
from adc.proxy.caching.revalidate import confirm, drop_replaced, learn_from_head, outdate
from adc.proxy.gate import CLIENT, PLUGIN
from adc.proxy.phases import PLUGIN as AT_PLUGIN
from adc.proxy.phases import TOTAL
from adc.proxy.states import AWAITING, ENDED, RESPONDING
from adc.proxy.trailers import still_true


class Fetch(FetchRequest):
    """A request to a member whose response goes into the store and to the exchanges in `audience`."""

    __slots__ = ()

    def inform(self, response: Response) -> None:
        for follower in self.audience.followers:
            if follower.exchange.state == AWAITING:
                follower.exchange.inform(response)

    def await_next(self) -> None:
        if self.response_holds & CLIENT:
            self.deadline, self.phase = self.total_at, TOTAL
        elif self.response_holds & PLUGIN:
            self.limit(AT_PLUGIN, inf)
        else:
            super().await_next()

    def respond(self, response: Response, body: bytes, end: bool) -> None:
        if self.plugins is not None and not self.plugins.open:
            self.plugins.response(response, body, end)
            return
        self.state = RESPONDING
        self.status = response.status
        now, question = time.time(), self._question
        held = question.held
        if held is not None and held.conditions and response.status == 304:
            self._confirmed(held.entry, response, now)
            return
        if response.status in STALE_ERRORS and question.may_stand_in:
            self._stand_in(f"status {response.status}")
            return
        if question.asked.method == "HEAD" and self.plugins is None:
            learn_from_head(question, response, now)
        verdict = store(
            question.key,
            question.asked,
            response,
            question.sent_at,
            now,
            question.options,
            peer_trusted=question.trusted,
        )
        self._cache.store.counters.misses += 1
        if isinstance(verdict, Store):
            self._store(verdict, response, body, end)
        else:
            if held is not None and verdict.lasting:
                outdate(question, held.entry, response)
            self._pass(response, body, end, verdict.reason, verdict.lasting)

    def _confirmed(self, entry: Entry, response: Response, now: float) -> None:
        """Serve the stored response, which is good again."""
        question, serves = self._question, bool(self.audience.followers)
        found = confirm(question, entry, response, now, serves=serves)
        if found is None:
            if serves:
                self._ask_plainly()
            else:
                self.end("")
            return
        self._cache.store.counters.revalidated += 1
        if found.shareable and not question.tiers.purged(found.entry, question.mark):
            self._take_waiting(found.entry.varying)
        self._turn.settle(found.outcome)
        ttl = found.entry.terms.freshness(now)
        status = question.cache_status(304, stored=found.stored, ttl=ttl)
        self._answer_all(found.entry, status, "revalidated", now, found.own)

    def _stand_in(self, why: str) -> None:
        """Serve the stored response to all followers that may have it (RFC 5861 section 4), because the member
        failed."""
        question, shared = self._question, self._cache.store
        held = question.held
        if held is None:
            return
        if self.attempt is not None:
            self.attempt.cancel()
        now, entry = time.time(), held.entry
        self._take_waiting(entry.varying, stale=True)
        self._turn.settle(Outcome.FAILED)
        shared.counters.stale += len(self.audience.followers)
        ttl = entry.terms.freshness(now)
        status = question.cache_status(self.status or None, ttl=ttl, detail=f"stale-if-error, {why}")
        question.held = None
        self._answer_all(entry, status, "stale", now, ())

    def _answer_all(
        self, entry: Entry, cache_status: bytes, word: str, now: float, own: tuple[Pair, ...]
    ) -> None:
        """Answer every follower from `entry`; the lines `own` are for the first, whose request it was."""
        cache = self._cache
        for follower in self.audience.dismiss():
            exchange = follower.exchange
            exchange.cache = word
            self.audience.inform(follower)
            follower.finish()
            loaded = cache.store.tiers.load(entry)
            exchange.attempt = None
            if loaded is None:
                exchange.fail(502, "cache_failed")
            else:
                cache.serve(exchange, loaded, cache_status, now, own)
            own = ()
        self.end("")

    def _store(self, verdict: Store, response: Response, body: bytes, end: bool) -> None:
        shared, question, audience, entry = self._cache.store, self._question, self.audience, verdict.entry
        filling = Filling(shared.tiers, entry, response.body_length, question.mark)
        fill = audience.fill = Fill(filling)
        leaders = tuple(audience.followers)
        self._take_followers(verdict)
        fill.take(body)
        stored = self._commit(fill) if end else True
        status = question.cache_status(response.status, stored=stored, ttl=verdict.ttl)
        response.headers.add(b"Cache-Status", status)
        collapsed = audience.followers[len(leaders) :]
        for follower in leaders:
            self._begin(follower, response, body, end, "miss")
        if collapsed:
            age = b"%d" % entry.terms.age(time.time())
            status = question.cache_status(entry.status, stored=stored, ttl=verdict.ttl, collapsed=True)
            lines = (*entry.headers.pairs, (b"Age", age), (b"Cache-Status", status))
            for follower in collapsed:
                head = Response(entry.status, Headers(lines), entry.reason, response.body_length, dated=True)
                head.trailer = response.trailer
                shared.counters.collapsed += 1
                self._begin(follower, head, body, end, "collapsed")
        self._went_on(end)

    def _take_followers(self, verdict: Store) -> None:
        """Serve the followers that may have this response; the others continue when the outcome is known."""
        entry = verdict.entry
        if not self._turn.leads:
            return
        if verdict.ttl <= 0 or entry.terms.always_validate or entry.part is not None:
            self._turn.settle(Outcome.UNCACHEABLE)
        elif not self._question.tiers.purged(
            entry, self._question.mark
        ):  # they may have come after the purge
            self._take_waiting(entry.varying)

    def _pass(self, response: Response, body: bytes, end: bool, reason: str, lasting: bool) -> None:
        """Pass the response to the client that asked, and to no other."""
        audience = self.audience
        fill = audience.fill = Fill(None)
        fill.take(body)
        fill.complete = end
        self._turn.settle(Outcome.UNCACHEABLE if lasting else Outcome.FAILED)
        if not audience.followers:
            self._abandon()
            return
        status = self._question.cache_status(response.status, detail=reason)
        response.headers.add(b"Cache-Status", status)
        self._begin(audience.followers[0], response, body, end, "miss")
        self._went_on(end)

    def _begin(self, follower: Follower, response: Response, body: bytes, end: bool, word: str) -> None:
        """Send the head to a follower."""
        exchange = follower.exchange
        exchange.cache = word
        follower.position = len(body)
        self.audience.inform(follower)
        if end:
            follower.finish()
        exchange.respond(response, body, end)

    def deliver(self, data: bytes, end: bool) -> None:
        fill = self.audience.fill
        if fill is None or self.state == ENDED:
            return
        fill.take(data)
        if end:
            self._commit(fill)
        else:
            self._turn.renew(self.context.clock.now)
        self.audience.give(data, end)
        self._went_on(end)

    def respond_trailers(self, fields: list[Pair]) -> None:
        """Forward trailers to the followers that receive the response now; the stored response has none (RFC 9111
        section 3.1)."""
        changed = self.plugins is not None and self.plugins.changes
        self.response_trailers = self.audience.trailers = still_true(fields) if changed else fields
        self.respond_body(b"", True)

    def _commit(self, fill: Fill) -> bool:
        """Store the complete response, before any client can see its end and request it again."""
        fill.complete = True
        entry = fill.commit(self._question.tiers, self._question.mark)
        stored = entry is not None
        if entry is not None:
            drop_replaced(self._question, entry)
        self._turn.settle(Outcome.FILLED if stored else Outcome.FAILED)
        return stored

    def _went_on(self, end: bool) -> None:
        """Consider what it means to the member that a chunk was passed on, maybe the last."""
        audience = self.audience
        fill = audience.fill
        if fill is None or self.state == ENDED:
            return
        audience.drop_unread()
        if end:
            self.end("")
        elif audience.followers or not self.deserted():
            if not fill.stored:
                audience.pace()
            if not self.response_holds:
                self.await_next()

    def deserted(self) -> bool:
        fill, unattended = self.audience.fill, self._cache.store.unattended
        unheard = fill is not None and fill.stored and unattended.admit(self, fill.remaining)
        wanted = unheard or (fill is None and self._turn.waited_for)
        if not wanted:
            self._abandon()
        return not wanted

    def _take_waiting(self, varying: tuple[tuple[bytes, bytes | None], ...], stale: bool = False) -> None:
        """Make followers of the waiting requests that the same variant serves; with `stale` only of those that accept
        a stale response."""
        if not self._turn.leads:
            return
        options = self._question.options

        def fits(each: Parked) -> bool:
            request = each.exchange.request
            if stale and not takes_stale(request, options):
                return False
            return matches(varying, request.headers, options.key.counted_cookies)

        for each in self._cache.store.flights.take(self._question.key, fits):
            each.finish()
            self.audience.add(each.exchange)

    # The end.

    def fail(self, status: int, reason: str, proxy_status: str = "", lines: tuple[Pair, ...] = ()) -> None:
        if self.state == ENDED:
            return
        if self.attempt is not None:
            self.attempt.cancel()
        question, fill = self._question, self.audience.fill
        if fill is not None:
            fill.abort(reason)
        elif question.may_stand_in:
            self._stand_in(reason)
            return
        elif question.held is not None and question.held.entry.terms.must_revalidate:
            status = 504  # RFC 9111 section 5.2.2.2
        told = (b"Cache-Status", question.cache_status(detail=reason.replace("_", " ")))
        for follower in self.audience.dismiss():
            follower.exchange.cache = "miss"
            self.audience.inform(follower)
            follower.finish()
            follower.exchange.fail(status, reason, proxy_status, (*lines, told))
        self.end(reason)

    def break_off(self, reason: str) -> None:
        if self.attempt is not None:
            self.attempt.cancel()
        if self.audience.fill is not None:
            self.audience.fill.abort(reason)
        for follower in self.audience.dismiss():
            follower.finish()
            follower.exchange.break_off(reason)
        self.end(reason)

    def _abandon(self) -> None:
        """Cancel the fetch, because nothing needs the response."""
        if self.attempt is not None:
            self.attempt.cancel()
        if self.audience.fill is not None:
            self.audience.fill.abort("nobody wants it")
        self.end("")
