"""Persistence of the configuration's pools, on the tables and with the keys of this node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, cast

from adc.config import Config
from adc.config.model import persistence as model
from adc.config.model import pools
from adc.http.message import Request
from adc.net.client_certificate import FINGERPRINT
from adc.persistence.app_cookie import PrefixedCookie, RewrittenCookie
from adc.persistence.cookie import CookieOptions, CookiePersistence
from adc.persistence.cookie_name import SHARED_NAME, cookie_name
from adc.persistence.decide import GRACE, Stickiness
from adc.persistence.header import header_key
from adc.persistence.identity import member_id, table_name
from adc.persistence.interface import Persistence, PinCounts
from adc.persistence.learned import LearnedPersistence
from adc.persistence.pin import merge_pins
from adc.persistence.query import query_key
from adc.persistence.signing import Signer
from adc.persistence.source import source_key
from adc.persistence.table import KeyOf, TablePersistence
from adc.persistence.tls import certificate_key, sni_key
from adc.state.interface import Store, Table
from adc.state.key_ring import KeyRing


class Sticky(NamedTuple):
    """A pool's persistence, its timeout and fallback, and its table if it has one."""

    persistence: Persistence
    stickiness: Stickiness
    table: Table | None


NO_STICKY: Mapping[str, Sticky] = {}


def needs_store(config: Config) -> bool:
    """True if any pool keeps pins in a table."""
    return any(_in_table(pool) for pool in config.pools.values())


def needs_keys(config: Config) -> bool:
    """True if any pool signs cookies without configured keys."""
    cookies = [pool.persistence.cookie for pool in config.pools.values() if pool.persistence]
    return any(cookie is not None and not cookie.keys for cookie in cookies)


def open_tables(config: Config, store: Store) -> dict[str, Table]:
    """Return the tables of the pools that keep pins in one, with the sizes of `config`."""
    return {
        name: store.table(table_name(name), pool.persistence.mode[1].size, merge_pins)
        for name, pool in config.pools.items()
        if pool.persistence and _in_table(pool)
    }


def build_all(
    config: Config, tables: Mapping[str, Table], keys: KeyRing | None, counts: Mapping[str, PinCounts]
) -> dict[str, Sticky]:
    """Return the persistence of each pool that has one. `keys` sign if the configuration names none, `counts` are
    those of the previous runtime, by pool."""
    return {
        name: _build(name, config, pool, tables.get(name), keys, counts.get(name))
        for name, pool in config.pools.items()
        if pool.persistence is not None
    }


def _in_table(pool: pools.Pool) -> bool:
    """True if pins of `pool` are kept in a table, and not only in a cookie of adc."""
    settings = pool.persistence
    return settings is not None and (settings.cookie is None or settings.cookie.mode != "insert")


def _build(
    name: str,
    config: Config,
    pool: pools.Pool,
    table: Table | None,
    keys: KeyRing | None,
    counts: PinCounts | None,
) -> Sticky:
    settings = cast("model.Persistence", pool.persistence)
    _, chosen = settings.mode
    fallback = cast("Literal['rebalance', 'error']", settings.fallback)
    delay = 0.0 if config.cluster is None else config.cluster.sync.interval
    stickiness = Stickiness(chosen.timeout, settings.absolute_timeout, fallback, grace=GRACE + delay)
    node = "" if config.cluster is None else config.node
    if isinstance(chosen, model.CookiePersistence):
        members = (member_id(name, member.address.text) for member in pool.members)
        signer = Signer(name, [key.encode() for key in chosen.keys] or keys or (), members)
        return Sticky(_by_cookie(name, chosen, signer, stickiness, counts, table, node), stickiness, table)
    if table is None:
        raise ValueError(f"pool {name} has no table")
    if isinstance(chosen, model.LearnedPersistence):
        learned = LearnedPersistence(
            table,
            chosen.cookie,
            stickiness,
            path_parameter=chosen.path_parameter or "",
            node=node,
            counts=counts,
        )
        return Sticky(learned, stickiness, table)
    return Sticky(TablePersistence(table, _key(chosen), stickiness, node, counts), stickiness, table)


def _by_cookie(
    pool: str,
    settings: model.CookiePersistence,
    signer: Signer,
    stickiness: Stickiness,
    counts: PinCounts | None,
    table: Table | None,
    node: str,
) -> Persistence:
    name = cookie_name(pool, settings.name)
    if settings.mode != "insert":
        mode = PrefixedCookie if settings.mode == "prefix" else RewrittenCookie
        return mode(name, signer, stickiness, counts, table=table, node=node)
    options = CookieOptions(
        name=name,
        path=settings.path,
        domain=settings.domain or "",
        secure=cast("Literal['auto', 'true', 'false']", settings.secure),
        http_only=settings.http_only,
        same_site=settings.same_site,
        former_name=SHARED_NAME if settings.name is None else "",
    )
    return CookiePersistence(options, signer, stickiness, counts)


def _key(
    mode: model.SourcePersistence | model.HeaderPersistence | model.QueryPersistence | model.TlsPersistence,
) -> KeyOf[Request]:
    if isinstance(mode, model.SourcePersistence):
        return source_key(mode.prefix4, mode.prefix6)
    if isinstance(mode, model.HeaderPersistence):
        return header_key(mode.name)
    if isinstance(mode, model.QueryPersistence):
        return query_key(mode.name)
    return sni_key if mode.by == "sni" else certificate_key(FINGERPRINT)
