"""The store that a worker's tables are in: opened when a configuration needs it, kept over reloads."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from adc.config import Config
from adc.config.model.state import State
from adc.runtime.build.folder import private_folder, restore_key, state_folder
from adc.runtime.errors import BuildError
from adc.runtime.serve.purges import KEPT, TABLE, shares_purges
from adc.state.interface import Status, Store
from adc.state.local import LocalStore
from adc.state.memory import MemoryStore

if TYPE_CHECKING:
    from adc.state.redis_client import RedisAddress

_LOOK_EVERY = 1.0
REAPED_PER_TICK = 500
"""Entries looked at for expired ones at each tick of a worker, so that no tick takes long."""


class Opened(NamedTuple):
    """A store and what it was opened for. `pins` is where pins live: shared with the other nodes, unless the
    cluster does not synchronise them. `local` is the file below it, which the stores of several configurations may
    share, because a process can open it only once."""

    store: Store
    pins: Store
    settings: tuple[object, ...]
    local: LocalStore | None = None
    size: int = 0

    async def close(self, *, keep_local: bool) -> None:
        """Close the stores, except for the file if another configuration uses it."""
        await self.store.close()
        if self.local is not None and self.local is not self.store and not keep_local:
            await self.local.close()


class SharedState:
    """A worker's store. A reload that leaves its settings alone leaves it alone, too."""

    def __init__(self) -> None:
        self._opened: Opened | None = None
        self._candidate: Opened | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._looked = 0.0
        self._guarded: tuple[Path, bytes] | None = None

    @property
    def shared(self) -> Store | None:
        """The store in use, None if the configuration needs none."""
        return None if self._opened is None else self._opened.store

    @property
    def pins(self) -> Store | None:
        """The store of pins in use, None if the configuration needs none."""
        return None if self._opened is None else self._opened.pins

    async def prepare(self, config: Config) -> Opened:
        """The store for `config`, beside the one in use if its settings differ.

        Raises BuildError.
        """
        settings = _settings(config)
        if self._opened is not None and self._opened.settings == settings:
            self._candidate = self._opened
        else:
            self._candidate = _open(config, settings, None if self._opened is None else self._opened.local)
            self._candidate.store.start()
        return self._candidate

    def commit(self) -> None:
        """Use what was prepared; nothing prepared: no store is needed any more."""
        replaced, self._opened, self._candidate = self._opened, self._candidate, None
        if self._opened is not None and self._opened.local is not None:
            self._opened.local.resize(self._opened.size)
        if replaced is not None and replaced is not self._opened:
            self._close(replaced)

    def rollback(self) -> None:
        """Forget what was prepared."""
        candidate, self._candidate = self._candidate, None
        if candidate is not None and candidate is not self._opened:
            self._close(candidate)

    def guard(self, config: Config, key: bytes | None) -> None:
        """Keep the file of the generated key in place, unless nodes share their key in another way."""
        written = config.cluster is not None and config.cluster.secret is not None
        shared = written or config.state.backend == "redis"
        self._guarded = None if key is None or shared else (state_folder(config), key)

    def tick(self, now: float) -> None:
        """Reap a slice, and look after the files once a second; `now` is wall-clock."""
        if not 0 <= now - self._looked < _LOOK_EVERY:
            self._looked = now
            if self._guarded is not None:
                restore_key(*self._guarded)
        if self._opened is not None:
            self._opened.store.tick(now, REAPED_PER_TICK)

    def status(self) -> Status:
        """Return whether the store works as it should."""
        return Status() if self._opened is None else self._opened.store.status()

    async def close(self) -> None:
        """Write out what is queued and let go of everything."""
        self.rollback()
        self.commit()
        while self._closing:
            await asyncio.wait(self._closing)

    def _close(self, opened: Opened) -> None:
        used = self._opened.local if self._opened is not None else None
        shared = opened.local is not None and opened.local is used
        if shared and opened.store is opened.local:
            return
        task = asyncio.get_running_loop().create_task(opened.close(keep_local=shared))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _settings(config: Config) -> tuple[object, ...]:
    cluster = config.cluster
    shared = None if cluster is None else (cluster.name, cluster.sync)
    return (config.state, shared, state_folder(config))


def _open(config: Config, settings: tuple[object, ...], in_use: LocalStore | None) -> Opened:
    state = config.state
    if state.backend == "memory":
        memory = MemoryStore()
        return Opened(memory, memory, settings)
    folder = state_folder(config)
    try:
        kept = in_use if in_use is not None and in_use.folder == folder else None
        local = kept or LocalStore(folder, state.size, _make)
    except OSError as error:
        raise BuildError(f"state: {error}") from error
    if state.backend == "local":
        return Opened(local, local, settings, local, state.size)
    from adc.state.redis import RedisStore  # a tenth of a second that other backends need not wait

    cluster = config.cluster
    try:
        redis = RedisStore(
            redis_address(state),
            prefix=redis_prefix(config),
            first=local,
            interval=0.1 if cluster is None else cluster.sync.interval,
            fetch_limit=state.timeout,
            close_first=False,
        )
    except ValueError as error:
        raise BuildError(f"state: {error}") from error
    if shares_purges(config):
        redis.table(TABLE, KEPT)  # known before it connects, so that what was told meanwhile is heard
    shared = cluster is None or cluster.sync.persistence
    return Opened(redis, redis if shared else local, settings, local, state.size)


def _make(folder: Path) -> None:
    """Make the folder of the tables, and check again and again that nobody else has put one in its place.

    Raises OSError: PermissionError for a folder that must not be used.
    """
    try:
        private_folder(folder)
    except BuildError as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from None
        raise PermissionError(str(error)) from error


def redis_prefix(config: Config) -> str:
    """Return the prefix of keys in Redis: nodes of another cluster name share nothing."""
    prefix = config.state.prefix
    return prefix if config.cluster is None else f"{prefix}{config.cluster.name}:"


def redis_address(state: State) -> RedisAddress:
    """Return the address of Redis in the settings."""
    from adc.state.redis_client import RedisAddress

    sentinel = state.sentinel
    if sentinel is None:
        return RedisAddress(state.url, state.cluster)
    addresses = tuple((address.host, address.port) for address in sentinel.addresses)
    return RedisAddress(
        sentinels=addresses,
        master=sentinel.master,
        database=sentinel.database,
        username=sentinel.username,
        password=sentinel.password,
    )
