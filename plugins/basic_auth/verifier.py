"""Verification of passwords in threads, bounded, and remembered for a while."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

from adc_plugins.basic_auth.hashes import Verify
from cachetools import TTLCache

WAITING = 64
"""Verifications that may wait for a thread."""


class Busy(Exception):
    """Too many verifications wait."""


class Verifier:
    """`known` finds the name that went with an Authorization value that was right, by a keyed digest of it: nothing
    that is kept can be turned back into a password. Equal values that arrive together are verified once."""

    def __init__(self, threads: int, size: int, ttl: float, now: Callable[[], float]) -> None:
        self._key = secrets.token_bytes(32)
        self._names: TTLCache[bytes, str] = TTLCache(size, ttl, timer=now)
        self._pending: dict[bytes, asyncio.Future[bool]] = {}
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="basic_auth")

    def mark(self, value: bytes) -> bytes:
        """Return the digest of an Authorization value."""
        return blake2b(value, digest_size=16, key=self._key).digest()

    def known(self, mark: bytes) -> str | None:
        """Return the name of the user if the value was right a while ago."""
        name: str | None = self._names.get(mark)
        return name

    def remember(self, mark: bytes, name: str) -> None:
        """Keep a value that is right."""
        self._names[mark] = name

    def forget(self) -> None:
        """Verify all anew: the users changed."""
        self._names.clear()
        self._pending.clear()

    async def verify(self, mark: bytes, verify: Verify, password: bytes) -> bool:
        """Return True if the password is right. Raises Busy."""
        pending = self._pending.get(mark)
        if pending is None:
            if len(self._pending) >= WAITING:
                raise Busy
            loop = asyncio.get_running_loop()
            pending = self._pending[mark] = loop.run_in_executor(self._pool, verify, password)
            pending.add_done_callback(lambda done: self._over(mark, done))
        return await asyncio.shield(pending)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _over(self, mark: bytes, done: asyncio.Future[bool]) -> None:
        if self._pending.get(mark) is done:
            del self._pending[mark]
        if not done.cancelled():
            done.exception()  # retrieved: the waiter may be gone
