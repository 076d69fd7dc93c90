"""Tests of addresses to listen on, here and now."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path as FilePath

from adc.net.socket_address import socket_address

CAP_NET_BIND_SERVICE = 10


def refusal(host: str, port: int, *, udp: bool = False) -> tuple[int, str] | None:
    """Return why this process cannot listen there, as error number and words; None if it can. Port 0: any free port."""
    if 0 < port < first_free_port() and not may_bind_low():
        return errno.EACCES, f"needs a right this user lacks (CAP_NET_BIND_SERVICE, or root): port {port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        trial = socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
    except OSError as error:
        return error.errno or 0, f"cannot be listened on: {error.strerror}"
    with trial:
        try:
            if not udp:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            trial.bind(socket_address(host, port))
            if not udp:
                trial.listen(1)
        except OSError as error:
            words = {
                errno.EADDRINUSE: "is taken: something listens there already",
                errno.EADDRNOTAVAIL: "is not an address of this machine",
            }
            return error.errno or 0, words.get(
                error.errno or 0, f"cannot be listened on: {error.strerror or error}"
            )
    return None


def first_free_port() -> int:
    """Return the lowest port that needs no privilege (Linux lets an administrator change it)."""
    try:
        return int(FilePath("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, ValueError):
        return 1024


def may_bind_low() -> bool:
    """True if this process may listen on ports below that one."""
    try:
        status = FilePath("/proc/self/status").read_text()
    except OSError:
        return os.geteuid() == 0
    rights = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:")), 0)
    return bool(rights >> CAP_NET_BIND_SERVICE & 1)
