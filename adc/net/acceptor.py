"""Accepting connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

from adc.http.networks import plain_address
from adc.net.accept import AcceptContext, TakePlain
from adc.net.share import AWAY, BATCH
from adc.net.tcp_options import reset

_MOST_WAITING: Final = 4096
"""Most waiting connections that are accepted when a socket is closed."""

_SHORT: Final = "file descriptors are short"

_ANY: Final = frozenset({"0.0.0.0", "::"})

_STREAM: Final = int(socket.SOCK_STREAM)


class Acceptor:
    """Accepts on one listening socket, which it closes at the end. While it is paused, new connections wait in the
    kernel's queue.

    The loop's own server closes connections that it has no descriptor for, and shortens the queue to 100.
    """

    def __init__(self, context: AcceptContext, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._context = context
        self._sock = sock
        self._family = int(sock.family)
        self._own = _address_of(sock)
        self._paused = True
        self._away: asyncio.TimerHandle | None = None

    def pause(self) -> None:
        """Leave new connections in the kernel's queue."""
        if not self._paused:
            self._paused = True
            if self._away is None:
                self._context.loop.remove_reader(self._sock.fileno())
            else:
                self._away.cancel()
                self._away = None

    def resume(self) -> None:
        """Accept from now on."""
        if self._paused:
            self._paused = False
            self._context.loop.add_reader(self._sock.fileno(), self._readable)

    def drain(self) -> None:
        """Accept the waiting connections, which the kernel would reset when the last copy of the socket is closed, and
        close.

        A connection that arrives between the last accept and the close is reset: the kernel cannot refuse new
        connections only.
        """
        self.pause()
        for _ in range(_MOST_WAITING):
            if not self._accept():
                break
        self._sock.close()

    def _readable(self) -> None:
        context = self._context
        share = context.share
        room = BATCH if share.alone else share.room(context.loop.time())
        if not room:
            self._back_off()
            return
        for _ in range(room):
            if context.context is not None and context.crowded:
                self._back_off()
                break
            if self._paused or not self._accept():
                break
        if not share.alone:
            share.took()

    def _back_off(self) -> None:
        """Leave waiting connections to the other workers for `AWAY` seconds."""
        loop = self._context.loop
        loop.remove_reader(self._sock.fileno())
        self._away = loop.call_later(AWAY, self._resume_after_backing_off)

    def _resume_after_backing_off(self) -> None:
        self._away = None
        self._context.loop.add_reader(self._sock.fileno(), self._readable)

    def _accept(self) -> bool:
        """Accept one connection; False if none waits, or no further one can be accepted."""
        context, listening = self._context, self._sock
        try:
            number, address = listening._accept()  # type: ignore[attr-defined]
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:
            context.exhausted(str(error))
            return False
        room: bool = number < context.max_descriptor
        if not room:
            context.exhausted(_SHORT)
        plain = None if context.context is not None or context.proxies is not None else context.plain
        # `listening.accept()` makes a `socket.socket`, whose constructor is Python: a plain flow needs none.
        kind: Callable[..., Any] = socket.socket if plain is None else socket.SocketType
        sock = kind(self._family, _STREAM, 0, number)
        sock.setblocking(False)
        own = self._own
        if context.admit is not None and not context.admit(address, own or sock.getsockname()):
            reset(sock)
        elif plain is not None:
            self._hand_over(plain, sock, address)
        else:
            context.take(sock, address)
        return room

    def _hand_over(self, plain: TakePlain, sock: socket.SocketType, address: Any) -> None:
        """Hand over a connection that nothing comes before as a socket."""
        context = self._context
        state = context.state
        if len(state.connections) + context.arriving < state.max_connections:
            plain(sock, address, None, self._own)
        else:
            state.rejected += 1
            sock.close()


def _address_of(sock: socket.socket) -> Any:
    """Return the address that all clients of a listening socket connect to; None if it is bound to several."""
    own = sock.getsockname()
    if not isinstance(own, tuple):
        return own or None
    host = plain_address(own[0])
    return None if host in _ANY else (host, own[1])
