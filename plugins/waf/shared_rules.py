"""Compiled rules that routes of a worker share, over reloads too."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from pathlib import Path
from weakref import WeakKeyDictionary, WeakValueDictionary

from adc_plugins.waf.code.loading import Report
from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.configured_rules import ConfiguredRules
from adc_plugins.waf.engine.ruleset import Ruleset
from adc_plugins.waf.program_files import State, check_operators, state_of, states_of

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
_states: WeakKeyDictionary[Ruleset, dict[Path, State]] = WeakKeyDictionary()
"""The files that the loaded rules were read from, as they were then."""


async def ruleset_of(rules: ConfiguredRules, engine: str, folder: Path | None, report: Report) -> Ruleset:
    """Return the compiled rules, compiled once for equal files, those that they name among them; compiled databases
    are kept in `folder`.

    A thread compiles them, so that a worker serves on while it reloads. Rules in Python are not shared, because
    `report` is that of one route. Raises SecLangError.
    """
    if rules.code:
        return await asyncio.to_thread(rules.ruleset, engine, folder, report)
    written = repr((engine, rules.sources)).encode("utf-8", "surrogateescape")
    digest = blake2b(written, digest_size=32).digest()
    found = _loaded.get(digest)
    if found is None or any(state_of(path) != state for path, state in _states[found].items()):
        found = _loaded[digest] = await asyncio.to_thread(_load, rules, engine, folder, report)
    return found


def _load(rules: ConfiguredRules, engine: str, folder: Path | None, report: Report) -> Ruleset:
    """Compile rules, and run them once, so that no client waits for what they compile at their first use."""
    compiled = rules.ruleset(engine, folder, report)
    _states[compiled] = states_of(compiled.program)
    check_operators(compiled.program)
    transaction = compiled.transaction(_ORDINARY)
    transaction.request_head()
    transaction.request_body(b"a=b", False)
    transaction.response_head(200, b"HTTP/1.1", ((b"Content-Type", b"text/html"),))
    transaction.response_body(b"<p>", False)
    transaction.logging()
    return compiled
