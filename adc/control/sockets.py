"""Listening sockets: bound once, kept over reloads, handed to workers and to the next binary."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from adc.control.addresses import Address
from adc.control.udp_sockets import bind_udp, is_served, with_kept
from adc.net.socket_address import literal_host, socket_address
from adc.telemetry.event_log import EventLog

log = EventLog(__name__)


class BindError(Exception):
    """An address cannot be bound; the text advises the user."""


Layout = Mapping[str, tuple[Address, ...]]
"""Listener name -> the addresses that it listens on."""


@dataclass(frozen=True, slots=True)
class SocketPlan:
    """The sockets that `workers` workers serve: the keys of each listener's sockets, and every socket by key."""

    listeners: Mapping[str, tuple[str, ...]]
    sockets: Mapping[str, socket.socket]
    workers: int = 1

    def of_worker(self, worker_id: int) -> SocketPlan:
        """Return the part of one worker: all sockets of connections, and the UDP sockets of its slots."""
        listeners = {
            name: tuple(key for key in keys if is_served(key, worker_id, self.workers))
            for name, keys in self.listeners.items()
        }
        wanted = {key for keys in listeners.values() for key in keys}
        return SocketPlan(listeners, {key: self.sockets[key] for key in wanted}, self.workers)


class ListeningSockets:
    """The sockets that this process holds open, by address key.

    `inherited` are sockets received from systemd or from the previous binary. A reload calls `prepare` with the wanted
    layout, then `commit` or `rollback`; addresses in both layouts keep their socket.
    """

    def __init__(self, inherited: Mapping[str, socket.socket] | None = None) -> None:
        self._open: dict[str, socket.socket] = {}
        self._inherited = dict(inherited or {})
        self._new: dict[str, socket.socket] = {}
        self._layout: Layout = {}
        self._wanted: Layout = {}

    def prepare(self, layout: Layout) -> SocketPlan:
        """Bind what is missing; returns what workers need. Raises BindError with nothing left bound."""
        self._new = {}
        known = self._open.keys() | self._inherited.keys()
        wanted = {name: with_kept(group, known) for name, group in layout.items()}
        try:
            self._wanted = {name: self._bound(group) for name, group in wanted.items()}
        except BindError:
            self.rollback()
            raise
        listeners = {name: tuple(address.key for address in group) for name, group in self._wanted.items()}
        both = self._open | self._new
        return SocketPlan(listeners, {address.key: both[address.key] for address in _addresses(self._wanted)})

    def _bound(self, group: Iterable[Address]) -> tuple[Address, ...]:
        """Bind the addresses of a listener; return those that have a socket now. Raises BindError."""
        found = []
        for address in group:
            key = address.key
            if key not in self._open and key not in self._new:
                sock = self._inherited.get(key) or self._bind(address)
                if sock is None:
                    continue
                self._new[key] = sock
            elif key in self._open:
                _listen_again(address, self._open[key])
            found.append(address)
        return tuple(found)

    def _bind(self, address: Address) -> socket.socket | None:
        """Return a new socket; None for a slot of a UDP address that another user's process bound. Raises BindError."""
        if not address.slot:
            return bind(address)
        first = replace(address, slot=0).key
        try:
            return bind_udp(address, self._open.get(first) or self._new[first])
        except OSError as error:
            log.warn("udp_slot_not_bound", address=address.key, detail=error.strerror or str(error))
            return None

    def commit(self) -> None:
        """Keep what was prepared, close what it no longer names."""
        self._open |= self._new
        for key in self._new:
            self._inherited.pop(key, None)
        self._new = {}
        self._layout = self._wanted
        wanted = {address.key for address in _addresses(self._layout)}
        for key in [key for key in self._open if key not in wanted]:
            _close(key, self._open.pop(key))

    def rest(self) -> None:
        """Stop listening on idle addresses; call it once the kernel forwards their flows."""
        for address in _addresses(self._layout):
            sock = self._open[address.key]
            if address.idle and address.kind == "tcp" and _listens(sock):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RD)

    def rollback(self) -> None:
        """Close what was newly bound."""
        for key, sock in self._new.items():
            if key not in self._inherited:
                _close(key, sock)
        self._new = {}

    def drop_inherited(self) -> list[str]:
        """Close received sockets that no listener asked for; returns their keys."""
        unused = list(self._inherited)
        for sock in self._inherited.values():
            sock.close()
        self._inherited = {}
        return unused

    def of(self, listener: str) -> dict[str, socket.socket]:
        """Return the sockets of one listener, by key; empty if there is no such listener."""
        return {address.key: self._open[address.key] for address in self._layout.get(listener, ())}

    def open(self) -> dict[str, socket.socket]:
        """Return the sockets in use, by key."""
        return dict(self._open)

    def close(self, *, handed_over: bool = False) -> None:
        """Close all; the files of unix sockets stay if the next binary listens on them."""
        self.rollback()
        for key, sock in self._open.items():
            if handed_over:
                sock.close()
            else:
                _close(key, sock)
        self._open = {}


def _addresses(layout: Layout) -> Iterable[Address]:
    return dict.fromkeys(address for group in layout.values() for address in group)


def _listens(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _listen_again(address: Address, sock: socket.socket) -> None:
    """Listen on a kept socket that was idle. Raises BindError."""
    if address.kind == "tcp" and not address.idle and not _listens(sock):
        try:
            sock.listen(address.backlog)
        except OSError as error:
            raise BindError(f"cannot listen on {address.key}: {_advice(address, error)}") from None


def bind(address: Address) -> socket.socket:
    """Return a bound socket, listening if it is a stream. Raises BindError."""
    try:
        if address.kind == "unix":
            return _bind_unix(address)
        if address.kind == "udp":
            return bind_udp(address, None)
        return _bind_inet(address)
    except OSError as error:
        raise BindError(f"cannot listen on {address.key}: {_advice(address, error)}") from None


def key_of(sock: socket.socket) -> str:
    """Return the address key of a bound socket."""
    name = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        path = name.decode() if isinstance(name, bytes) else name
        return Address("unix", path.replace("\0", "@", 1)).key
    kind = "udp" if sock.type == socket.SOCK_DGRAM else "tcp"
    return Address(kind, literal_host(name), name[1]).key


def by_key(sockets: Iterable[socket.socket]) -> dict[str, socket.socket]:
    """Return the sockets by address key."""
    return {key_of(sock): sock for sock in sockets}


def _bind_inet(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(socket_address(address.host, address.port))
        if not address.idle:
            sock.listen(address.backlog)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _bind_unix(address: Address) -> socket.socket:
    path = address.host
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        if path.startswith("@"):
            sock.bind("\0" + path[1:])
        else:
            _bind_file(sock, path, private=address.private)
        sock.listen(address.backlog)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _bind_file(sock: socket.socket, path: str, *, private: bool) -> None:
    """Make the file of a unix socket, to which no other user can connect before its mode is right."""
    before = os.umask(0o177) if private else None
    try:
        sock.bind(path)
    finally:
        if before is not None:
            os.umask(before)


def _remove_stale(path: str) -> None:
    """Unlink the socket file of a process that has gone; a file of another kind is never touched."""
    if path.startswith("@") or not os.path.exists(path):
        return
    if not stat.S_ISSOCK(os.stat(path).st_mode):
        raise OSError(errno.EEXIST, "a file that is no socket is in the way")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        else:
            raise OSError(errno.EADDRINUSE, "in use")


def _close(key: str, sock: socket.socket) -> None:
    sock.close()
    if key.startswith("unix:/"):
        with contextlib.suppress(OSError):
            os.unlink(key.removeprefix("unix:"))


def _advice(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        option = "u" if address.kind == "udp" else "t"
        return f"the address is taken by another process (`ss -l{option}np` names it)"
    if error.errno == errno.EADDRNOTAVAIL:
        return "no interface of this machine has that address"
    if error.errno in (errno.EACCES, errno.EPERM) and address.kind != "unix":
        return (
            f"port {address.port} is privileged: use a port from 1024 up, or give the program "
            "CAP_NET_BIND_SERVICE (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)"
        )
    return error.strerror or str(error)
