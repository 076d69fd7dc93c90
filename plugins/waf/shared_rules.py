"""Compiled rules that routes of a worker share, over reloads too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from weakref import WeakValueDictionary

from adc_plugins.waf.engine.ruleset import Ruleset, RulesetOptions
from adc_plugins.waf.rule_files import Source

_loaded: WeakValueDictionary[bytes, Ruleset] = WeakValueDictionary()


async def ruleset_of(sources: Sequence[Source], engine: str, folder: Path | None) -> Ruleset:
    """Return the rules of `sources`, compiled once for equal sources; compiled databases are kept in `folder`.

    A thread compiles them, so that a worker serves on while it reloads. Raises SecLangError.
    """
    written = repr((engine, sources)).encode("utf-8", "surrogateescape")
    digest = blake2b(written, digest_size=32).digest()
    found = _loaded.get(digest)
    if found is None:
        options = RulesetOptions(engine)
        found = await asyncio.to_thread(Ruleset.load, sources, options, folder)
        _loaded[digest] = found
    return found
