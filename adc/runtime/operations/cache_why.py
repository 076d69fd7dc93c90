"""Why a cache serves a URL as it does."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from adc.runtime.operations.convert import OMITTED
from adc.runtime.operations.operation import BadRequest, Operation

if TYPE_CHECKING:
    from adc.cache.entry import Entry
    from adc.http.message import Request
    from adc.proxy.caching.cache_stage import CacheStage
    from adc.runtime.serve.view import Serving

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
"""`token` of RFC 9110 section 5.6.2."""

_WORDS = {
    "Hit": "hit",
    "Stale": "stale",
    "Revalidate": "revalidate",
    "Miss": "miss",
    "OnlyIfCached504": "only-if-cached",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A request that is not sent: a whole URL, and fields as `NAME: VALUE`. Raises BadRequest."""

    url: str = ""
    method: str = "GET"
    header: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.url:
            raise BadRequest("say which: ?url=http://host/path")
        if not TOKEN.fullmatch(self.method):
            raise BadRequest("method is a token, such as GET")
        if not all(TOKEN.fullmatch(name) for name in self.headers):
            raise BadRequest("header is a field: name: value")

    @property
    def headers(self) -> dict[str, str]:
        """The fields by name."""
        pairs = (text.partition(":") for text in self.header)
        return {name.strip(): value.strip() for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One stored response. `age` and `ttl` are in seconds; `part` is the first and the last byte stored of a part."""

    status: int
    age: float
    ttl: float
    by: str
    must_validate: bool
    length: int
    tier: str
    etag: str
    vary: dict[str, str | None]
    tags: list[str]
    part: list[int] | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What a worker would do with the request; `store` and `key` only if its route has a cache."""

    worker: int
    route: str
    store: str | None = field(default=None, metadata=OMITTED)
    key: str | None = field(default=None, metadata=OMITTED)
    decision: str = "none"
    detail: str = ""
    entries: list[EntryRow] = field(default_factory=list)


class ExplainCache(Operation[Question, list[Finding]]):
    """Return what a request would meet in the cache of each worker, and what is stored for its URL."""

    name = "cache.why"
    request, reply = Question, list[Finding]
    path = "/api/v1/cache/why"

    def run(self, worker: Serving, request: Question) -> list[Finding]:
        """Return what the cache says of a URL. Raises BuildError for one that is none."""
        from adc.runtime.serve.urls import request_of

        asked = request_of(request.url, request.method, request.headers)
        nothing = Finding(worker.worker_id, "")
        found = next(_routes(worker, asked), None)
        if found is None:
            return [replace(nothing, detail="no route takes this request")]
        route, stage = found
        if stage is None:
            return [replace(nothing, route=route, detail="this route has no cache")]
        return [_finding(replace(nothing, route=route), stage, asked)]

    def merge(self, replies: Mapping[int, list[Finding]]) -> list[Finding]:
        return [finding for _, findings in sorted(replies.items()) for finding in findings]


def _routes(worker: Serving, request: Request) -> Iterator[tuple[str, CacheStage | None]]:
    """Yield the routes that match the request, listener by listener; those with a cache first."""
    cache_stages = worker.runtime.cache_stages
    pipelines = [find(request) for find in worker.runtime.finders.values()]
    found = {pipeline.name for pipeline in pipelines if pipeline is not None}
    for name in sorted(found, key=lambda name: name not in cache_stages):
        yield name, cache_stages.get(name)


def _finding(finding: Finding, stage: CacheStage, request: Request) -> Finding:
    from adc.cache.policy import Hit, lookup

    now, tiers = time.time(), stage.store.tiers
    key = stage.key(request)
    entries = tiers.find(key, now)
    decision = lookup(request, entries, now, stage.options)
    chosen = getattr(decision, "entry", None)
    texts = (getattr(decision, "why", ""), getattr(decision, "detail", ""))
    return replace(
        finding,
        store=stage.store.name,
        key=key.decode("latin-1"),
        decision=_WORDS[type(decision).__name__],
        detail=" ".join(filter(None, texts)) or _fresh(chosen, now, isinstance(decision, Hit)),
        entries=[_entry(entry, now, entry is chosen) for entry in entries],
    )


def _fresh(entry: Entry | None, now: float, hit: bool) -> str:
    if entry is None:
        return ""
    left = entry.terms.freshness(now)
    if hit and left > 0:
        return f"fresh for {left:.0f} s by {entry.terms.source}"
    return f"stale since {-left:.0f} s"


def _entry(entry: Entry, now: float, chosen: bool) -> EntryRow:
    from adc.cache.vary import shown_value

    terms = entry.terms
    return EntryRow(
        status=entry.status,
        age=round(terms.age(now), 1),
        ttl=round(terms.freshness(now), 1),
        by=terms.source,
        must_validate=terms.always_validate or entry.invalid,
        length=entry.length,
        tier="memory" if isinstance(entry.body, bytes) else "disk",
        etag=(entry.etag or b"").decode("latin-1"),
        vary={name.decode("latin-1"): shown_value(value) for name, value in entry.varying},
        tags=[tag.decode("latin-1") for tag in entry.tags],
        part=None if entry.part is None else [entry.part.first, entry.part.last],
        chosen=chosen,
    )


WHY = ExplainCache()
