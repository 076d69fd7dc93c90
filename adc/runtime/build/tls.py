"""TLS of the configuration as contexts: listeners' and members'."""

from __future__ import annotations

import importlib.util
import ssl
from pathlib import Path

from adc.config import Config
from adc.config.model.tls import Acme, ListenerTls, MemberTls
from adc.net.tls import KeyPair, ServerTls, ServerTlsOptions, TlsError, member_context
from adc.runtime.errors import BuildError


def acme_file(config: Config, acme: Acme) -> Path:
    """Return the path of the PEM file that holds the certificate of `acme` and its key."""
    folder = Path(acme.storage or Path(config.folder) / "acme")
    return folder / f"{acme.domains[0].lower()}.pem"


def acme_installed() -> bool:
    """True if the library for ACME is there."""
    return importlib.util.find_spec("acme") is not None


def build_server_tls(config: Config) -> dict[str, ServerTls]:
    """Return contexts by listener, for listeners with TLS. Raises BuildError."""
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
    """Return contexts by pool, for pools with TLS. Raises BuildError."""
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
    """Return the context for the members of one pool. Raises TlsError."""
    return member_context(
        verify=tls.verify,
        ca=tls.ca or "",
        certificate=tls.certificate or "",
        key=tls.key or "",
        min_version=tls.min_version,
    )
