"""The first stage of a cache: look for a stored response, and decide which request fetches from the member."""

from __future__ import annotations

import time

from adc.cache.collapse import Outcome, Role
from adc.cache.entry import Entry
from adc.cache.keys import primary_key
from adc.cache.options import CacheOptions
from adc.cache.policy import Hit, Miss, OnlyIfCached504, Revalidate, Stale, lookup
from adc.cache.status import hit, refused, whole
from adc.cache.vary import matches
from adc.http.fields import SELECTING
from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response
from adc.http.networks import Networks
from adc.http.tied import is_tied
from adc.proxy.caching.collapse import Waiting, may_share
from adc.proxy.caching.fetch import Fetch
from adc.proxy.caching.plain_form import coding_to_remove, plain_form
from adc.proxy.caching.purge import purge
from adc.proxy.caching.route_cache import RouteCache
from adc.proxy.caching.serve import serve
from adc.proxy.caching.store import MOST_REFRESHING, SharedStore
from adc.proxy.caching.variants import Variants
from adc.proxy.exchange import Exchange
from adc.proxy.pieces import AT_ONCE
from adc.proxy.pipeline import Action
from adc.proxy.upstream.request import UpstreamRequest


class CacheStage(RouteCache):
    """The cache of one route. `following` asks the member. `suffix` is added to keys: it tells routes apart
    that the URL does not. `purgers` may send PURGE, nobody if it is empty. `quick`: nothing on the route
    changes the request's fields after they were divided, so that what they ask of caches can be told without
    looking at each. `variants` codes content that the route compresses. `decodes`: content in a coding is decoded
    for clients that do not accept it.
    """

    __slots__ = (
        "_cookies",
        "_name",
        "decodes",
        "quick",
        "suffix",
        "variants",
    )

    def __init__(
        self,
        store: SharedStore,
        options: CacheOptions,
        following: Action[UpstreamRequest],
        suffix: bytes = b"",
        purgers: Networks | None = None,
        quick: bool = False,
        variants: Variants | None = None,
        decodes: bool = False,
    ) -> None:
        super().__init__(store, options, following, purgers)
        self.suffix = suffix
        self.quick = quick
        self.variants = variants
        self.decodes = decodes
        self._name = options.name.encode()
        self._cookies = options.key.counted_cookies

    def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        method = request.method
        if (
            (method != "GET" and method != "HEAD")
            or request.body_length
            or request.upgrade
            or request.tied
            or (b"authorization" in request.proxy_fields and is_tied(request))
        ):
            self._pass_by(exchange)
            return
        key = self.key(request)
        entries = self.store.tiers.get(key)
        if entries:
            now = time.time()
            if self.quick and len(entries) == 1 and self._quickly(exchange, entries[0], now):
                return
            decision = lookup(request, entries, now, self.options)
            if type(decision) is Hit and self._hit(exchange, decision, now):
                return
        self.look(exchange, key)

    def _quickly(self, exchange: Exchange, entry: Entry, now: float) -> bool:
        """Answer a GET that asks for nothing special from a fresh entry in memory, False in any other case.

        It is what `policy.lookup`, `answer` and `serve` come to then, in one go.
        """
        request, terms, body = exchange.request, entry.terms, entry.body
        age = now - terms.born
        left = terms.lifetime - age
        if (
            left <= 0
            or age < 0
            or (request.selecting and not SELECTING.isdisjoint(request.proxy_fields))
            or entry.invalid
            or terms.always_validate
            or entry.part is not None
            or not isinstance(body, bytes)
            or len(body) > AT_ONCE
            or request.method != "GET"
            or (entry.varying and not matches(entry.varying, request.headers, self._cookies))
        ):
            return False
        store = self.store
        if self.variants is not None:
            entry, body = self.variants.of(store.tiers.memory, request, entry, body)
        store.counters.hits += 1
        store.tiers.stats.memory_hits += 1
        exchange.cache = "hit"
        lines = [
            *entry.headers.pairs,
            (b"Age", b"%d" % int(age)),
            (b"Cache-Status", b"%b;hit;ttl=%d" % (self._name, whole(left))),
        ]
        response = Response(entry.status, Headers(lines), entry.reason, entry.length, dated=True)
        exchange.respond(response, body, True)
        return True

    def key(self, request: Request) -> bytes:
        """Return the key under which responses to `request` are stored."""
        key, mark = primary_key(request, self.options.key), self.suffix
        if request.cache_mark:
            mark += request.cache_mark
        if not mark:
            return key
        return key + mark if b"\0" in key else b"%b\0%b" % (key, mark)

    def look(self, exchange: Exchange, key: bytes, role: Role | None = None) -> None:
        now = time.time()
        decision = lookup(exchange.request, self.store.tiers.find(key, now), now, self.options)
        if isinstance(decision, Hit) and not self._hit(exchange, decision, now):
            decision = Miss("uri-miss", "the stored content was damaged")
        if isinstance(decision, Stale) and not self._stale(exchange, key, decision, now):
            decision = Miss("uri-miss", "the stored content was damaged")
        if isinstance(decision, Revalidate | Miss):
            self._fetch(exchange, key, decision, role)
            return
        if isinstance(decision, OnlyIfCached504):
            self._only_if_cached(exchange)
        if role is Role.LEAD:
            self.store.finish_flight(key, Outcome.FILLED)
        elif role is Role.ALONE:
            self.store.passed(key)

    def _hit(self, exchange: Exchange, decision: Hit, now: float) -> bool:
        """Answer; False if the content is gone."""
        ttl = decision.entry.terms.freshness(now)
        entry = self._loaded(decision.entry)
        if entry is None:
            return False
        exchange.cache = "hit"
        self.store.counters.hits += 1
        status = hit(self.options.name, ttl, decision.detail)
        self.serve(exchange, self._coded(exchange.request, entry), status, now)
        return True

    def serve(
        self, exchange: Exchange, entry: Entry, cache_status: bytes, now: float, own: tuple[Pair, ...] = ()
    ) -> None:
        """Answer from `entry`, whose content is loaded, as `serve` does; a Range is of what the client receives."""
        whole = False
        if self.decodes and b"range" in exchange.request.headers:
            coding = coding_to_remove(exchange.request, entry)
            if coding:
                plain = plain_form(self.store.tiers.memory, entry, coding)
                whole = plain is None
                entry = plain or entry
        serve(exchange, entry, self.store.tiers.memory.loans, cache_status, now, own, whole)

    def _coded(self, request: Request, entry: Entry) -> Entry:
        """Return the coded form of an entry, for a request that wants all of it."""
        body = entry.body
        if self.variants is None or not isinstance(body, bytes) or request.method != "GET":
            return entry
        if not SELECTING.isdisjoint(request.headers.index):
            return entry
        return self.variants.of(self.store.tiers.memory, request, entry, body)[0]

    def _stale(self, exchange: Exchange, key: bytes, decision: Stale, now: float) -> bool:
        """Answer with the stale entry and validate it in the background; False if its content is gone."""
        entry = self._loaded(decision.entry)
        if entry is None:
            return False
        shared = self.store
        if key not in shared.refreshing and len(shared.refreshing) < MOST_REFRESHING:
            shared.refreshing.add(key)
            Fetch(self, exchange, key, decision, Role.LEAD if shared.leases else Role.ALONE).begin()
        exchange.cache = "stale"
        shared.counters.stale += 1
        ttl = entry.terms.freshness(now)
        self.serve(exchange, entry, hit(self.options.name, ttl, "stale-while-revalidate"), now)
        return True

    def _loaded(self, entry: Entry) -> Entry | None:
        loaded = self.store.tiers.load(entry)
        if loaded is None:
            self.store.tiers.remove(entry)
        return loaded

    def _fetch(self, exchange: Exchange, key: bytes, decision: Miss | Revalidate, role: Role | None) -> None:
        """Ask the member, or wait for one that asks already."""
        if isinstance(decision, Miss) and decision.why in ("method", "bypass"):
            self._bypass(exchange, decision)
            return
        woken = role is Role.ALONE
        if role is None or role is Role.FOLLOW:
            role = Role.ALONE
            if may_share(exchange):
                waiting = Waiting(exchange, self.store, key, self.look)
                role = self.store.flights.join(key, waiting, time.monotonic())
                if role is Role.FOLLOW:
                    return
                waiting.finish()
                exchange.attempt = None
        Fetch(self, exchange, key, decision, role, woken).begin()

    def _only_if_cached(self, exchange: Exchange) -> None:
        exchange.cache = "miss"
        exchange.end_reason = "only_if_cached"
        response, body = exchange.error(504, "")
        response.headers.add(b"Cache-Status", refused(self.options.name, "only-if-cached"))
        exchange.respond(response, b"" if exchange.request.method == "HEAD" else body, True)

    def _pass_by(self, exchange: Exchange) -> None:
        if exchange.request.method == "PURGE":
            purge(self, exchange)
        else:
            self._bypass(exchange)

    def _bypass(self, exchange: Exchange, decision: Miss | None = None) -> None:
        """Let the member answer this exchange; `unsafe` sees its response."""
        exchange.cache = "bypass"
        self.following(exchange)
