"""Entries of the kernel's connection tracking: read and deleted over netlink, in a limited time."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterable, Iterator

from adc.sessions.conntrack import (
    DONE,
    ERROR,
    NEW,
    Tracked,
    about_ports,
    deletion,
    dump,
    error_of,
    messages,
    parse,
)

PATIENCE = 10.0
"""Seconds for one reading of all entries, of which a second takes about half a million."""

BUFFER = 1 << 20
"""Bytes of one read."""

_NETFILTER = 12
_ENDED = 1 << 2
"""The group of messages about deleted entries (NFNLGRP_CONNTRACK_DESTROY), as a bit."""

_BACKLOG = 8 << 20
_FORCED_BUFFER = 33
"""SO_RCVBUFFORCE: more than net.core.rmem_max."""


def entries(ports: Iterable[int]) -> Iterator[Tracked]:
    """Yield the TCP and UDP entries of flows to `ports`, and maybe others, IPv4 first. Raises OSError, BadMessage."""
    wanted = about_ports(ports)
    for family in (socket.AF_INET, socket.AF_INET6):
        with _open() as kernel:
            kernel.send(dump(family))
            yield from _received(kernel, wanted)


def delete(entry: Tracked) -> bool:
    """Delete an entry; True unless it was gone. Raises OSError, BadMessage."""
    with _open() as kernel:
        kernel.send(deletion(entry))
        for kind, body in messages(kernel.recv(BUFFER)):
            if kind == ERROR:
                number = error_of(body)
                if number not in (0, errno.ENOENT):
                    raise OSError(number, "connection tracking refused")
                return not number
    return False


def ended() -> socket.socket:
    """Return a socket that receives a message of type DELETE for each entry that ends. Raises OSError."""
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER)
    try:
        kernel.setblocking(False)
        kernel.setsockopt(socket.SOL_SOCKET, _FORCED_BUFFER, _BACKLOG)
        kernel.bind((0, _ENDED))
    except OSError:
        kernel.close()
        raise
    return kernel


def _received(kernel: socket.socket, wanted: Callable[[bytes], object]) -> Iterator[Tracked]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for kind, body in messages(kernel.recv(BUFFER)):
            if kind == DONE:
                return
            if kind == ERROR and (number := error_of(body)):
                raise OSError(number, "connection tracking refused")
            if kind == NEW and wanted(body) and (entry := parse(body)) is not None:
                yield entry
    raise TimeoutError(f"connection tracking did not list its entries within {PATIENCE:g} s")


def _open() -> socket.socket:
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER)
    kernel.settimeout(PATIENCE)
    kernel.bind((0, 0))
    return kernel
