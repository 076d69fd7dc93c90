"""Settings that the control side reads from a configuration: addresses, number of workers, admin socket."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from adc.control.addresses import Address
from adc.control.calls import CallRefused
from adc.control.sockets import BindError, Layout
from adc.control.udp_sockets import slots_of
from adc.net.socket_address import literal_host

if TYPE_CHECKING:
    from adc.config import Config
    from adc.config.model.address import Address as Written
    from adc.config.model.listeners import Listener

ADMIN = "(admin)"
"""The admin socket's name among the listeners; no listener of a file can have it."""

CLUSTER = "(cluster)"
"""The same for the socket on which other nodes reach this one."""

DATAGRAMS = "(datagrams)"
"""The same for the socket on which other nodes pass datagrams to this one."""

ADMIN_BACKLOG = 128


def layout_of(config: Config, workers: int = 1) -> Layout:
    """Return every address to listen on, by listener name; the admin server's under ADMIN. Raises BindError.

    A UDP address has a slot for each of `workers` workers.
    """
    layout = {listener.name: _of_listener(listener) for listener in config.listeners}
    if config.cluster is not None and config.cluster.on_unknown == "redirect" and config.cluster.advertise:
        layout[CLUSTER] = _resolved((config.cluster.advertise,), "http", CLUSTER, ADMIN_BACKLOG)
    if config.passes_datagrams and config.cluster is not None and config.cluster.advertise:
        layout[DATAGRAMS] = _resolved((config.cluster.advertise,), "udp", DATAGRAMS, ADMIN_BACKLOG)
    if config.admin is not None:
        layout[ADMIN] = _resolved(config.admin.bind, "http", ADMIN, ADMIN_BACKLOG)
    _refuse_shared(layout)
    return {name: _with_slots(group, workers) for name, group in layout.items()}


def _of_listener(listener: Listener) -> tuple[Address, ...]:
    found = _resolved(listener.bind, listener.protocol, listener.name, listener.backlog)
    if listener.datapath.engine == "kernel":
        return tuple(replace(address, idle=True) for address in found)
    return found


def _with_slots(group: Iterable[Address], workers: int) -> tuple[Address, ...]:
    return tuple(
        each
        for address in group
        for each in (slots_of(address, workers) if address.kind == "udp" else (address,))
    )


def _refuse_shared(layout: Layout) -> None:
    """Raise BindError if two listeners want one address, which names can hide."""
    owners: dict[str, str] = {}
    for name, group in layout.items():
        for address in group:
            if owners.setdefault(address.key, name) != name:
                raise BindError(
                    f"cannot listen on {address.key}: {owners[address.key]} and {name} both want it"
                )


@dataclass(frozen=True, slots=True)
class AdminTls:
    """The TLS of the admin server; equal to another one if settings and files are the same."""

    settings: object
    signature: object
    context: ssl.SSLContext = field(compare=False)


def admin_tls(config: Config) -> AdminTls | None:
    """Return the TLS of the admin server, read from its files. Raises CallRefused."""
    if config.admin is None or config.admin.tls is None:
        return None
    from adc.net.tls import KeyPair, ServerTls, ServerTlsOptions, TlsError
    from adc.runtime.assembly.tls import HTTP_ALPN

    written = config.admin.tls
    options = ServerTlsOptions(
        (KeyPair(written.certificate, written.key),),
        client_auth="required" if written.client_ca else "none",
        client_ca=written.client_ca or "",
        client_crl=written.client_crl or "",
        alpn=HTTP_ALPN,
    )
    try:
        return AdminTls(options, options.signature(), ServerTls(options).context)
    except TlsError as error:
        raise CallRefused(f"admin.tls: {error}") from None


def worker_count(config: Config, override: int | None) -> int:
    """Return the number of worker processes; 0 means that the supervisor serves itself."""
    wanted = config.workers if override is None else override
    return len(os.sched_getaffinity(0)) if wanted == "auto" else wanted


def addresses_of(written: Iterable[Written], owner: str, protocol: str = "http") -> tuple[Address, ...]:
    """Return the literal addresses of the listener `owner` for a configured address. Raises BindError."""
    return _resolved(written, protocol, owner, ADMIN_BACKLOG)


def _resolved(written: Iterable[Written], protocol: str, owner: str, backlog: int) -> tuple[Address, ...]:
    kind = "udp" if protocol == "udp" else "tcp"
    found = []
    for address in written:
        if address.path:
            found.append(Address("unix", address.path, backlog=backlog, private=owner == ADMIN))
            continue
        label = "" if address.port else owner
        found += [Address(kind, host, address.port, label, backlog) for host in _hosts(address)]
    return tuple(dict.fromkeys(found))


def _hosts(written: Written) -> list[str]:
    """Return the literal addresses of a host as written."""
    if not written.host:
        return ["0.0.0.0", "::"] if _has_ipv6() else ["0.0.0.0"]
    try:
        found = socket.getaddrinfo(written.host, written.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BindError(f"cannot listen on {written.text}: {error.strerror}") from None
    return list(dict.fromkeys(literal_host(item[4]) for item in found))


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::", 0))
    except OSError:
        return False
    return True
