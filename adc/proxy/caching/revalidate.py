"""Effects of the member's response on the stored entry."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from adc.cache.collapse import Outcome
from adc.cache.entry import Entry
from adc.cache.files import FileBody
from adc.cache.parts import coexists
from adc.cache.policy import reusable, select
from adc.cache.status import forwarded
from adc.cache.validation import refresh, refresh_by_head
from adc.http.headers import Pair
from adc.http.message import Response

if TYPE_CHECKING:
    from adc.proxy.caching.fetch import Fetch


def confirmed(fetch: Fetch, entry: Entry, response: Response, now: float) -> None:
    """A 304: the entry is good again (RFC 9111 section 4.3.4), unless it speaks of something else."""
    shared, options = fetch.stage.store, fetch.stage.options
    trusted = fetch.service.trusts(fetch.asked.client.peer)
    refreshed = refresh(entry, fetch.asked, response, fetch.sent_at, now, options, peer_trusted=trusted)
    loaded = shared.tiers.load(entry) if refreshed is not None and fetch.sources else None
    if refreshed is None or (fetch.sources and loaded is None):
        shared.tiers.remove(entry)
        if fetch.sources:
            fetch.ask_plainly()
        else:
            fetch.end("")
        return
    shared.counters.revalidated += 1
    fresh = refreshed.entry if loaded is None else refreshed.entry.filled(loaded.body, entry.length)
    stored = False
    if not refreshed.apart:
        stored = refreshed.keep and _renew(fetch, entry, fresh, now)
        if not stored:
            shared.tiers.remove(entry)
    if stored and isinstance(fresh.body, FileBody):  # each of those who wait opens it
        fresh.body.close()
        fresh = refreshed.entry
    shareable = stored and reusable(fresh, now)
    if shareable and not shared.tiers.purged(fresh, fetch.mark):
        fetch.take_waiting(fresh.varying)
    fetch.turn.settle(_outcome(shareable, refreshed.apart))
    status = forwarded(options.name, fetch.why, status=304, stored=stored, ttl=fresh.terms.freshness(now))
    _answer_all(fetch, fresh, status, "revalidated", now, refreshed.own)


def _outcome(shareable: bool, apart: bool) -> Outcome:
    if shareable:
        return Outcome.FILLED
    return Outcome.FAILED if apart else Outcome.UNCACHEABLE


def _renew(fetch: Fetch, entry: Entry, fresh: Entry, now: float) -> bool:
    """Store `fresh` in the place of `entry`; False if its Vary is another and its content is not at hand."""
    tiers = fetch.stage.store.tiers
    if fresh.varying == entry.varying:
        tiers.update(fresh, fetch.mark, now, outdates=reusable(entry, now))
        return True
    if not isinstance(fresh.body, bytes):
        return False
    tiers.remove(entry)
    return tiers.put(fresh, fetch.mark, now) is not None


def stand_in(fetch: Fetch, why: str) -> None:
    """The member failed: serve what is held to everybody who may have it (RFC 5861 section 4)."""
    held = fetch.held
    if held is None:
        return
    if fetch.attempt is not None:
        fetch.attempt.cancel()
    now = time.time()
    shared, entry = fetch.stage.store, held.entry
    fetch.take_waiting(entry.varying, stale=True)
    fetch.turn.settle(Outcome.FAILED)
    shared.counters.stale += len(fetch.sources)
    told = fetch.status if fetch.status else None
    ttl = entry.terms.freshness(now)
    status = forwarded(
        fetch.stage.options.name, fetch.why, status=told, ttl=ttl, detail=f"stale-if-error, {why}"
    )
    fetch.held = None
    _answer_all(fetch, entry, status, "stale", now, ())


def outdated(fetch: Fetch, entry: Entry, response: Response) -> None:
    """A response that may not be stored has taken the place of the entry."""
    if response.status < 400 or response.status in (404, 410):
        fetch.stage.store.tiers.remove(entry)


def told_by_head(fetch: Fetch, response: Response, now: float) -> None:
    """An answer to HEAD updates or outdates what a GET would be given (RFC 9111 section 4.3.5)."""
    tiers, options = fetch.stage.store.tiers, fetch.stage.options
    entry = select(fetch.asked, tiers.find(fetch.key, now), now, options)
    if entry is None:
        return
    trusted = fetch.service.trusts(fetch.asked.client.peer)
    updated = refresh_by_head(entry, fetch.asked, response, fetch.sent_at, now, options, peer_trusted=trusted)
    if updated is entry:
        return
    if updated is None or not _renew(fetch, entry, updated, now):
        tiers.remove(entry)


def drop_replaced(fetch: Fetch, entry: Entry) -> None:
    """`entry` was stored: what was held for the same request goes, even if the store keeps it apart."""
    held = fetch.held
    if held is not None and not coexists(entry, held.entry):
        fetch.stage.store.tiers.remove(held.entry)


def _answer_all(
    fetch: Fetch, entry: Entry, cache_status: bytes, word: str, now: float, own: tuple[Pair, ...]
) -> None:
    """Answer every source from `entry`; the lines `own` are for the first, whose request it was."""
    sources, fetch.sources = fetch.sources, []
    tiers = fetch.stage.store.tiers
    for source in sources:
        exchange = source.exchange
        exchange.cache = word
        fetch.tell(source)
        source.finish()
        loaded = tiers.load(entry)
        exchange.attempt = None
        if loaded is None:
            exchange.fail(502, "cache_failed")
        else:
            fetch.stage.serve(exchange, loaded, cache_status, now, own)
        own = ()
    fetch.end("")
