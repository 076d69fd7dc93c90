"""TLS of the configuration as contexts: listeners' and members'."""

from __future__ import annotations

import importlib.util
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from adc.config import Config
from adc.config.model.effects import HTTP, SMTP, TCP, TERMINATED
from adc.config.model.pools import Pool
from adc.config.model.tls import Acme, ListenerTls, MemberTls
from adc.config.pool_users import PoolUser, kinds, pool_users
from adc.net.tls import KeyPair, ServerTls, ServerTlsOptions, TlsError, member_context
from adc.runtime.errors import BuildError

HTTP_ALPN: Final = ("http/1.1",)
"""Protocols that listeners and pools of HTTP offer (RFC 7301), in the order of preference."""


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
            alpn = HTTP_ALPN if listener.protocol == HTTP else listener.tls.alpn
            found[listener.name] = ServerTls(_options(config, listener.tls, alpn))
        except TlsError as error:
            raise BuildError(f"listener {listener.name}: {error}") from None
    return found


def _options(config: Config, tls: ListenerTls, alpn: tuple[str, ...]) -> ServerTlsOptions:
    pairs = [KeyPair(each.certificate, each.key) for each in tls.certificates]
    if tls.acme is not None:
        file = str(acme_file(config, tls.acme))
        pairs.append(KeyPair(file, file, tuple(name.lower() for name in tls.acme.domains)))
    clients = tls.client_auth
    return ServerTlsOptions(
        tuple(pairs),
        tls.min_version,
        tls.ciphers or "",
        clients.mode,
        clients.ca or "",
        clients.crl or "",
        alpn,
    )


def build_member_tls(config: Config) -> dict[str, ssl.SSLContext]:
    """Return contexts by pool for requests to members, for pools with TLS. Raises BuildError."""
    return _contexts(config, lambda used: HTTP in used or not used, lambda tls: HTTP_ALPN)


def build_stream_tls(config: Config) -> dict[str, ssl.SSLContext]:
    """Return contexts by pool for members of tcp and smtp listeners, for pools with TLS. Raises BuildError."""
    return _contexts(config, lambda used: bool(used & {TCP, TERMINATED, SMTP}), lambda tls: tls.alpn)


def _contexts(
    config: Config, wanted: Callable[[frozenset[str]], bool], alpn: Callable[[MemberTls], tuple[str, ...]]
) -> dict[str, ssl.SSLContext]:
    """Return contexts of pools whose kinds of traffic are `wanted`."""
    found: dict[str, ssl.SSLContext] = {}
    users = pool_users(config)
    for name, pool in config.pools.items():
        if pool.tls is None or not wanted(kinds(users[name])):
            continue
        try:
            found[name] = context_of(pool.tls, alpn(pool.tls))
        except TlsError as error:
            raise BuildError(f"pools.{name}.tls: {error}") from None
    return found


def check_alpn(pool: Pool, users: tuple[PoolUser, ...]) -> tuple[str, ...]:
    """Return the protocols that active checks of `pool` offer: HTTP in requests, else those of the pool's traffic."""
    active, used = pool.health.active, kinds(users)
    if (active is not None and active.path is not None) or HTTP in used or not used:
        return HTTP_ALPN
    return () if pool.tls is None else pool.tls.alpn


def context_of(tls: MemberTls, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Return the context for the members of one pool. Raises TlsError."""
    return member_context(
        verify=tls.verify,
        ca=tls.ca or "",
        certificate=tls.certificate or "",
        key=tls.key or "",
        min_version=tls.min_version,
        alpn=alpn,
    )
