"""Sockets received at start: from systemd (LISTEN_FDS) or from the binary that this one replaces."""

from __future__ import annotations

import os
import socket
from collections.abc import Container, MutableMapping
from dataclasses import dataclass, field
from itertools import count

from adc.control.handover import Handover
from adc.control.sockets import BindError, Layout, key_of
from adc.control.udp_sockets import join_group

FIRST_FD = 3
"""SD_LISTEN_FDS_START: where systemd puts the first descriptor."""

MAX_FDS = 4096
UPGRADE_FDS = "ADC_UPGRADE_FDS"
UPGRADE_HANDOVER = "ADC_UPGRADE_HANDOVER"
UPGRADE_READY = "ADC_UPGRADE_READY"

_VARIABLES = (UPGRADE_FDS, UPGRADE_HANDOVER, UPGRADE_READY, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


@dataclass(slots=True)
class Inherited:
    """Listening sockets by the key or listener name they came with; the old binary waits at `ready_fd` and leaves
    its `handover`."""

    by_key: dict[str, socket.socket] = field(default_factory=dict)
    by_name: dict[str, list[socket.socket]] = field(default_factory=dict)
    ready_fd: int | None = None
    handover: Handover = field(default_factory=Handover)

    @property
    def upgrading(self) -> bool:
        """True if another adc process waits until this one serves."""
        return self.ready_fd is not None

    def tell_ready(self) -> None:
        """Notify the old binary that this one serves: it drains now."""
        if self.ready_fd is not None:
            try:
                os.write(self.ready_fd, b"ready\n")
            except OSError:
                pass
            os.close(self.ready_fd)
            self.ready_fd = None


def take(environ: MutableMapping[str, str]) -> dict[str, str]:
    """Remove the variables for `receive` from `environ` and return them, before children inherit them."""
    return {name: environ.pop(name) for name in _VARIABLES if name in environ}


def receive(environ: MutableMapping[str, str]) -> Inherited:
    """Take the sockets that the environment names; the variables are cleared, or children took them too."""
    inherited = Inherited()
    _from_upgrade(environ, inherited)
    _from_systemd(environ, inherited)
    return inherited


def _from_upgrade(environ: MutableMapping[str, str], inherited: Inherited) -> None:
    numbers = environ.pop(UPGRADE_FDS, "")
    ready = environ.pop(UPGRADE_READY, "")
    handover = environ.pop(UPGRADE_HANDOVER, "")
    if not ready.isdecimal():
        return
    inherited.ready_fd = int(ready)
    os.set_inheritable(inherited.ready_fd, False)
    if handover.isdecimal():
        inherited.handover = Handover.read(int(handover))
    for item in numbers.split("\n"):
        number, _, key = item.partition("=")
        if number.isdecimal():
            inherited.by_key[key] = _adopt(int(number))


def _from_systemd(environ: MutableMapping[str, str], inherited: Inherited) -> None:
    owner = environ.pop("LISTEN_PID", "")
    count = environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if owner != str(os.getpid()) or not count.isdecimal():
        return
    for index in range(min(int(count), MAX_FDS)):
        name = names[index] if index < len(names) else ""
        inherited.by_name.setdefault(name, []).append(_adopt(FIRST_FD + index))


def _adopt(number: int) -> socket.socket:
    sock = socket.socket(fileno=number)
    sock.setblocking(False)
    sock.set_inheritable(False)
    return sock


def claim(inherited: Inherited, layout: Layout) -> dict[str, socket.socket]:
    """Map each received socket to the address that it serves: its bound one, else the first of the listener that it is
    named after. More UDP sockets with one address serve its slots. Raises BindError."""
    claimed = dict(inherited.by_key)
    wanted = {address.key for group in layout.values() for address in group}
    for name, sockets in inherited.by_name.items():
        for sock in sockets:
            key = key_of(sock)
            if key not in wanted:
                free = [address.key for address in layout.get(name, ()) if address.key not in claimed]
                key = free[0] if free else key
            if sock.type == socket.SOCK_DGRAM and key in wanted:
                key = _slot(key, claimed)
                _join(key, sock)
            claimed[key] = sock
    return claimed


def _slot(key: str, claimed: Container[str]) -> str:
    """Return the key of the first slot of a UDP address that no received socket serves yet."""
    found = key
    for slot in count(1):
        if found not in claimed:
            break
        found = f"{key}#{slot}"
    return found


def _join(key: str, sock: socket.socket) -> None:
    try:
        join_group(sock)
    except OSError as error:
        raise BindError(f"cannot use the received socket {key}: {error.strerror}") from None
