"""Keys of an issuer: fetched, cached, refreshed in the background and when a token names an unknown one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

from adc_plugins.tokens.discovery import ProviderFailed, fetch
from adc_plugins.tokens.keys import KeyRing, parse_jwks
from adc_plugins.tokens.verify import Claims, UnknownKey, Verifier
from cachetools import TTLCache

from adc.plugin import Host, HttpClient

Locate = Callable[[], Awaitable[str]]
"""Returns the URL of the keys. Raises ProviderFailed."""

_RING = "ring"
_PATIENCE = 3.0
"""Seconds that a request waits for a fetch; the fetch goes on."""


class KeySource:
    """`ring` has the keys, None while there are none. While the issuer cannot be reached they are used on, for `keep`
    seconds. At most one fetch runs, and at most one starts in `retry` seconds, whatever tokens arrive."""

    def __init__(
        self, host: Host, client: HttpClient, locate: Locate, *, refresh: float, retry: float, keep: float
    ) -> None:
        self._host = host
        self._client = client
        self._locate = locate
        self._refresh = refresh
        self._retry = retry
        self._rings: TTLCache[str, KeyRing] = TTLCache(1, keep, timer=host.now)
        self._fetch: asyncio.Task[None] | None = None
        self._fetched = -inf
        self.changed: Callable[[], None] = _nothing

    @property
    def ring(self) -> KeyRing | None:
        """The keys."""
        return self._rings.get(_RING)

    async def run(self) -> None:
        """Fetch the keys again and again."""
        while True:
            await self._fetch_once(self._host.now())
            await self._host.sleep(self._refresh if self.ring is not None else self._retry)

    async def look_again(self) -> KeyRing | None:
        """Fetch the keys unless that was done a moment ago; return what there is then."""
        now = self._host.now()
        if self._fetch is not None or now - self._fetched >= self._retry:
            await self._fetch_once(now)
        return self.ring

    async def claims_of(self, token: str, verifier: Verifier, now: float) -> Claims:
        """Return the verified claims of a token; the keys are fetched again if it names an unknown one. Raises
        TokenRefused, or ProviderFailed if there are no keys."""
        ring = self.ring or await self.look_again()
        if ring is None:
            raise ProviderFailed("there are no keys of the provider")
        try:
            return verifier.verify(token, ring, now)
        except UnknownKey:
            return verifier.verify(token, await self.look_again() or ring, now)

    async def _fetch_once(self, now: float) -> None:
        task = self._fetch
        if task is None:
            self._fetched = now
            task = self._fetch = self._host.spawn(self._get())
        await asyncio.wait({task}, timeout=_PATIENCE)

    async def _get(self) -> None:
        try:
            ring = parse_jwks(await fetch(self._client, await self._locate()))
        except (ProviderFailed, ValueError) as error:
            self._host.warn("the keys of the issuer were not fetched", error=error)
            return
        finally:
            self._fetch = None
        before = self.ring
        self._rings[_RING] = ring
        if before is None or before.prints != ring.prints:
            self.changed()


def _nothing() -> None:
    """No-op: nobody is interested."""
