"""Effects of the member's response on the stored entry."""

from __future__ import annotations

from typing import NamedTuple

from adc.cache.collapse import Outcome
from adc.cache.entry import Entry
from adc.cache.files import FileBody
from adc.cache.parts import coexists
from adc.cache.policy import reusable, select
from adc.cache.validation import refresh, refresh_by_head
from adc.http.headers import Pair
from adc.http.message import Response
from adc.proxy.caching.question import Question


class Confirmed(NamedTuple):
    """A stored response that the member declared good: the `entry` to serve, whether the next request may have it, too
    (`shareable`), what that means to waiting requests, and lines for the client that asked."""

    entry: Entry
    stored: bool
    shareable: bool
    outcome: Outcome
    own: tuple[Pair, ...]


def confirm(
    question: Question, entry: Entry, response: Response, now: float, *, serves: bool
) -> Confirmed | None:
    """Renew `entry` by a 304 (RFC 9111 section 4.3.4). None if that speaks of something else, or if the content, which
    is needed if `serves`, is gone."""
    tiers, options = question.tiers, question.options
    refreshed = refresh(
        entry, question.asked, response, question.sent_at, now, options, peer_trusted=question.trusted
    )
    loaded = tiers.load(entry) if refreshed is not None and serves else None
    if refreshed is None or (serves and loaded is None):
        tiers.remove(entry)
        return None
    fresh = refreshed.entry if loaded is None else refreshed.entry.filled(loaded.body, entry.length)
    stored = False
    if not refreshed.apart:
        stored = refreshed.keep and _renew(question, entry, fresh, now)
        if not stored:
            tiers.remove(entry)
    if stored and isinstance(fresh.body, FileBody):  # each follower opens it
        fresh.body.close()
        fresh = refreshed.entry
    shareable = stored and reusable(fresh, now)
    return Confirmed(fresh, stored, shareable, _outcome(shareable, refreshed.apart), refreshed.own)


def _outcome(shareable: bool, apart: bool) -> Outcome:
    if shareable:
        return Outcome.FILLED
    return Outcome.FAILED if apart else Outcome.UNCACHEABLE


def _renew(question: Question, entry: Entry, fresh: Entry, now: float) -> bool:
    """Store `fresh` in the place of `entry`; False if its Vary is another and its content is not at hand."""
    tiers = question.tiers
    if fresh.varying == entry.varying:
        tiers.update(fresh, question.mark, now, outdates=reusable(entry, now))
        return True
    if not isinstance(fresh.body, bytes):
        return False
    tiers.remove(entry)
    return tiers.put(fresh, question.mark, now) is not None


def outdate(question: Question, entry: Entry, response: Response) -> None:
    """Remove `entry` if a response that may not be stored has taken its place."""
    if response.status < 400 or response.status in (404, 410):
        question.tiers.remove(entry)


def learn_from_head(question: Question, response: Response, now: float) -> None:
    """Update or outdate by a response to HEAD what a GET would be given (RFC 9111 section 4.3.5)."""
    tiers, options = question.tiers, question.options
    entry = select(question.asked, tiers.find(question.key, now), now, options)
    if entry is None:
        return
    updated = refresh_by_head(
        entry, question.asked, response, question.sent_at, now, options, peer_trusted=question.trusted
    )
    if updated is entry:
        return
    if updated is None or not _renew(question, entry, updated, now):
        tiers.remove(entry)


def drop_replaced(question: Question, entry: Entry) -> None:
    """Remove what was held for the same request, as `entry` was stored, even if the store keeps the two apart."""
    held = question.held
    if held is not None and not coexists(entry, held.entry):
        question.tiers.remove(held.entry)
