"""TLS of the configuration as contexts: listeners' and members'."""

from __future__ import annotations

import asyncio
import importlib.util
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from adc.config import Config
from adc.config.model.tls import Acme, ListenerTls, MemberTls
from adc.net.tls import KeyPair, ServerTls, ServerTlsOptions, Signature, TlsError, member_context
from adc.runtime.errors import BuildError

if TYPE_CHECKING:
    from adc.telemetry.error_log import ErrorLog

_LOOK_EVERY = 1.0
"""Seconds between two looks at the files of certificates."""


def acme_file(config: Config, acme: Acme) -> Path:
    """Return the path of the PEM file that holds the certificate of `acme` and its key."""
    folder = Path(acme.storage or Path(config.folder) / "acme")
    return folder / f"{acme.domains[0].lower()}.pem"


def acme_installed() -> bool:
    """True if the library for ACME is there."""
    return importlib.util.find_spec("acme") is not None


def build_server_tls(config: Config) -> dict[str, ServerTls]:
    """By listener, for those with TLS. Raises BuildError."""
    found: dict[str, ServerTls] = {}
    for listener in config.listeners:
        if listener.tls is None:
            continue
        if listener.tls.acme is not None and not acme_installed():
            raise BuildError(f"listener {listener.name}: acme needs a library; run: pip install 'adc[acme]'")
        try:
            found[listener.name] = ServerTls(_options(config, listener.tls))
        except TlsError as error:
            raise BuildError(f"listener {listener.name}: {error}") from None
    return found


def _options(config: Config, tls: ListenerTls) -> ServerTlsOptions:
    pairs = [KeyPair(each.certificate, each.key) for each in tls.certificates]
    if tls.acme is not None:
        file = str(acme_file(config, tls.acme))
        pairs.append(KeyPair(file, file, tuple(name.lower() for name in tls.acme.domains)))
    clients = tls.client_auth
    return ServerTlsOptions(
        tuple(pairs), tls.min_version, tls.ciphers or "", clients.mode, clients.ca or "", clients.crl or ""
    )


def build_member_tls(config: Config) -> dict[str, ssl.SSLContext]:
    """By pool, for those whose members are spoken to under TLS. Raises BuildError."""
    found: dict[str, ssl.SSLContext] = {}
    for name, pool in config.pools.items():
        if pool.tls is None:
            continue
        try:
            found[name] = context_of(pool.tls)
        except TlsError as error:
            raise BuildError(f"pools.{name}.tls: {error}") from None
    return found


def context_of(tls: MemberTls) -> ssl.SSLContext:
    """The context for the members of one pool. Raises TlsError."""
    return member_context(
        verify=tls.verify,
        ca=tls.ca or "",
        certificate=tls.certificate or "",
        key=tls.key or "",
        min_version=tls.min_version,
    )


class CertificateWatch:
    """Loads certificates again when their files change, beside what serves; a broken file changes nothing.

    A change is believed when two looks in a row find the same, so that a pair that is being replaced is not read
    half-way. `use` is given what was loaded.
    """

    def __init__(self, name: str, use: Callable[[ServerTls], None]) -> None:
        self._name = name
        self._use = use
        self._look_at = 0.0
        self._seen: Signature = ()
        self._refused: Signature = ()
        self._loading: asyncio.Task[None] | None = None

    def tick(self, now: float, current: ServerTls, error_log: ErrorLog) -> None:
        """Look at the files if it is time."""
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
