"""Compiled rules that routes of a worker share, over reloads too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from weakref import WeakValueDictionary

from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.engine.ruleset import Ruleset, RulesetOptions
from adc_plugins.waf.rule_files import Source

_ORDINARY = RequestFacts(
    b"POST",
    b"/?a=b",
    b"HTTP/1.1",
    (
        (b"Host", b"localhost"),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        (b"Content-Length", b"3"),
    ),
    b"127.0.0.1",
    1,
    b"127.0.0.1",
    80,
    b"-",
    0.0,
)
_loaded: WeakValueDictionary[bytes, Ruleset] = WeakValueDictionary()


async def ruleset_of(sources: Sequence[Source], engine: str, folder: Path | None) -> Ruleset:
    """Return the rules of `sources`, compiled once for equal sources; compiled databases are kept in `folder`.

    A thread compiles them, so that a worker serves on while it reloads. Raises SecLangError.
    """
    written = repr((engine, sources)).encode("utf-8", "surrogateescape")
    digest = blake2b(written, digest_size=32).digest()
    found = _loaded.get(digest)
    if found is None:
        found = _loaded[digest] = await asyncio.to_thread(_load, sources, RulesetOptions(engine), folder)
    return found


def _load(sources: Sequence[Source], options: RulesetOptions, folder: Path | None) -> Ruleset:
    """Compile rules, and run them once: what they compile at their first use, no client waits for."""
    rules = Ruleset.load(sources, options, folder)
    transaction = rules.transaction(_ORDINARY)
    transaction.request_head()
    transaction.request_body(b"a=b", False)
    transaction.response_head(200, b"HTTP/1.1", ((b"Content-Type", b"text/html"),))
    transaction.response_body(b"<p>", False)
    transaction.logging()
    return rules
