"""Whether the addresses of a configuration can be listened on, here and now."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path as FilePath

from adc.config.errors import Path
from adc.config.model.address import Address
from adc.config.model.config import Config

CAP_NET_BIND_SERVICE = 10


def unbindable(config: Config) -> Iterator[tuple[Path, str]]:
    """Ports that need a right this process lacks, and addresses that something else listens on."""
    for path, address in _addresses(config):
        if address.path or not address.port:
            continue
        if address.port < first_free_port() and not may_bind_low():
            yield path, f"port {address.port} needs a right this user lacks (CAP_NET_BIND_SERVICE, or root)"
            continue
        reason = _refusal(address)
        if reason:
            yield path, f"{address.text} {reason}"


def _addresses(config: Config) -> Iterator[tuple[Path, Address]]:
    for place, listener in enumerate(config.listeners):
        for index, address in enumerate(listener.bind):
            yield ("listeners", place, "bind", index), address
    for index, address in enumerate(config.admin.bind if config.admin else ()):
        yield ("admin", "bind", index), address


def _refusal(address: Address) -> str | None:
    """Why we cannot listen there, in words; `None` if we can."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address.host, address.port))
            trial.listen(1)
        except socket.gaierror:
            return "does not resolve to an address"
        except OSError as error:
            words = {
                errno.EADDRINUSE: "is taken: something listens there already",
                errno.EADDRNOTAVAIL: "is not an address of this machine",
            }
            return words.get(error.errno or 0, f"cannot be listened on: {error.strerror}")
    return None


def first_free_port() -> int:
    """The lowest port that needs no right (Linux lets an administrator move it)."""
    try:
        return int(FilePath("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        return 1024


def may_bind_low() -> bool:
    """Whether this process may listen on ports below that one."""
    try:
        status = FilePath("/proc/self/status").read_text()
    except OSError:
        return os.geteuid() == 0
    rights = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:")), 0)
    return bool(rights >> CAP_NET_BIND_SERVICE & 1)
