"""Imports and builds what every worker would import and build for itself, before workers are forked."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from adc.config.model.protocols import PROTOCOLS

if TYPE_CHECKING:
    from adc.config import Config


def preload(config: Config | None = None) -> None:
    """Import what serves, and what only some configurations need if `config` does.

    It opens no file and starts no thread, which would not survive the fork.
    """
    import_module("adc.runtime.worker")
    protocols = PROTOCOLS if config is None else {listener.protocol for listener in config.listeners}
    for protocol in protocols:
        resolve_name(PROTOCOLS[protocol])
    for name in () if config is None else _needed(config):
        import_module(name)


def _needed(config: Config) -> Iterator[str]:
    """Yield the modules that something of `config` imports at its first use."""
    tls = [listener.tls for listener in config.listeners if listener.tls is not None]
    if tls:
        yield "cryptography.x509"
    if any(each.acme is not None for each in tls):
        yield "adc.net.placeholder"
    if config.error_pages or any(route.error_pages for route in config.routes):
        yield "jinja2"
    if config.cluster is not None:
        yield "adc.runtime.serve.cluster_listener"
    if config.state.backend == "redis":
        yield "adc.state.redis"
