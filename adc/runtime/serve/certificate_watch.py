"""Reloading a listener's certificates when their files change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from adc.net.tls import ServerTls, Signature, TlsError
from adc.telemetry.error_log import ErrorLog

_LOOK_EVERY = 1.0
"""Seconds between two checks of the certificate files."""


class CertificateWatch:
    """Loads certificates again when their files change; a broken file changes nothing.

    A change counts once two checks in a row find the same files, so that a pair is not read while it is being
    replaced. `use` receives the loaded certificates.
    """

    def __init__(self, name: str, use: Callable[[ServerTls], None]) -> None:
        self._name = name
        self._use = use
        self._look_at = 0.0
        self._seen: Signature = ()
        self._refused: Signature = ()
        self._loading: asyncio.Task[None] | None = None

    def tick(self, now: float, current: ServerTls, error_log: ErrorLog) -> None:
        """Check the files if it is time."""
        if now < self._look_at or (self._loading is not None and not self._loading.done()):
            return
        self._look_at = now + _LOOK_EVERY
        before, self._seen = self._seen, current.options.signature()
        if self._seen != current.signature and self._seen == before != self._refused:
            self._loading = asyncio.get_running_loop().create_task(self._load(current, error_log))

    async def _load(self, current: ServerTls, error_log: ErrorLog) -> None:
        seen = self._seen
        try:
            loaded = await asyncio.to_thread(ServerTls, current.options)
        except TlsError as error:
            self._refused = seen
            error_log.error("certificates_not_reloaded", listener=self._name, detail=str(error))
        else:
            self._use(loaded)
            error_log.info("certificates_reloaded", listener=self._name)
