"""The store that a worker's tables are in: opened when a configuration needs it, kept over reloads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adc.config import Config
from adc.config.model.state import State
from adc.runtime.assembly.folder import private_folder, restore_key, state_folder
from adc.runtime.errors import BuildError
from adc.runtime.serve.purges import KEPT, TABLE, shares_purges
from adc.state.interface import Status, Store
from adc.state.local import LocalStore
from adc.state.memory import MemoryStore

if TYPE_CHECKING:
    from adc.state.redis import RedisStore
    from adc.state.redis_client import RedisAddress
    from adc.state.shared_secret import Agreed

SECRET = "secret"
"""Name of the nodes' key in Redis, behind the prefix of the cluster."""

_LOOK_EVERY = 1.0
REAPED_PER_TICK = 500
"""Entries examined for expiry at each tick of a worker, so that no tick takes long."""


@dataclass(eq=False)
class Opened:
    """A store and its settings. `pins` is the store of pins: shared with the other nodes, unless the cluster does not
    synchronise them. `local` is the file below it, which the stores of several configurations may share, because a
    process can open it only once. `redis` is `store` if that is one. `borrowers` counts the users that keep it open."""

    store: Store
    pins: Store
    settings: tuple[object, ...]
    local: LocalStore | None = None
    size: int = 0
    redis: RedisStore | None = None
    borrowers: int = 0

    @property
    def node(self) -> Store:
        """The store that the workers of this machine share and other machines do not."""
        return self.store if self.local is None else self.local


class SharedState:
    """A worker's store. A reload that leaves its settings alone leaves it alone, too."""

    def __init__(self) -> None:
        self._opened: Opened | None = None
        self._candidate: Opened | None = None
        self._open: list[Opened] = []
        self._ending: list[Opened] = []
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

    def prepare(self, config: Config) -> Opened:
        """Return the store for `config`: one that is open with the same settings, else a new one. A `rollback`
        closes it, and so does the commit of a configuration without it, unless it is borrowed. Raises BuildError.
        """
        settings = _settings(config)
        known = next((opened for opened in self._open if opened.settings == settings), None)
        if known is None:
            files = [each.local for each in (*self._open, *self._ending) if each.local is not None]
            known = _open(config, settings, files)
            self._open.append(known)
            known.store.start()
        self._candidate = known
        return known

    def borrow(self, opened: Opened) -> Callable[[], None]:
        """Keep `opened` open, whatever is committed, until the returned function is called."""
        opened.borrowers += 1

        def give_back() -> None:
            opened.borrowers -= 1
            self._close_unused()

        return give_back

    def commit(self) -> None:
        """Use the prepared store; nothing prepared: no store is needed any more."""
        self._opened, self._candidate = self._candidate, None
        if self._opened is not None and self._opened.local is not None:
            self._opened.local.resize(self._opened.size)
        self._close_unused()

    def rollback(self) -> None:
        """Forget the prepared store."""
        self._candidate = None
        self._close_unused()

    def guard(self, config: Config, key: bytes | None, agreed: Agreed | None = None) -> None:
        """Keep the generated key in place: in Redis if nodes share it there (`agreed` is called with theirs), else in
        its file."""
        self._guarded = None
        if key is None or (config.cluster is not None and config.cluster.secret is not None):
            return
        if config.state.backend != "redis":
            self._guarded = state_folder(config), key
        elif self._opened is not None and self._opened.redis is not None and agreed is not None:
            self._opened.redis.keep(SECRET, key, agreed)

    def tick(self, now: float) -> None:
        """Reap a slice, and look after the files once a second; `now` is wall-clock."""
        if not 0 <= now - self._looked < _LOOK_EVERY:
            self._looked = now
            if self._guarded is not None:
                restore_key(*self._guarded)
        for opened in self._open:
            opened.store.tick(now, REAPED_PER_TICK)

    def status(self) -> Status:
        """Return whether the store works as it should."""
        return Status() if self._opened is None else self._opened.store.status()

    async def close(self) -> None:
        """Write out queued changes and close everything that is not borrowed."""
        self.rollback()
        self.commit()
        while self._closing:
            await asyncio.wait(self._closing)

    def _close_unused(self) -> None:
        for opened in list(self._open):
            if opened not in (self._opened, self._candidate) and not opened.borrowers:
                self._open.remove(opened)
                self._ending.append(opened)
                task = asyncio.get_running_loop().create_task(self._end(opened))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def _end(self, opened: Opened) -> None:
        """Close a store, and the file below it unless another store is on it by then."""
        if opened.store is not opened.local:
            await opened.store.close()
        self._ending.remove(opened)
        local = opened.local
        if local is not None and not any(each.local is local for each in (*self._open, *self._ending)):
            await local.close()


def _settings(config: Config) -> tuple[object, ...]:
    cluster = config.cluster
    shared = None if cluster is None else (cluster.name, cluster.sync)
    return (config.state, shared, state_folder(config))


def _open(config: Config, settings: tuple[object, ...], files: Sequence[LocalStore]) -> Opened:
    state = config.state
    if state.backend == "memory":
        memory = MemoryStore()
        return Opened(memory, memory, settings)
    folder = state_folder(config)
    try:
        kept = next((file for file in files if file.folder == folder), None)
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
        redis.table(TABLE, KEPT)  # before it connects, so that purges published meanwhile arrive
    shared = cluster is None or cluster.sync.persistence
    return Opened(redis, redis if shared else local, settings, local, state.size, redis)


def _make(folder: Path) -> None:
    """Make the folder of the tables, and check repeatedly that no other user has replaced it.

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
