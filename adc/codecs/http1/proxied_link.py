"""Connections to a member that begin with a PROXY protocol header: each belongs to one client connection."""

from __future__ import annotations

from collections.abc import Awaitable

from adc.codecs.http1.client import ClientConnection
from adc.codecs.http1.link import HttpLink
from adc.codecs.interface import ResponseReceiver
from adc.net.dial import Dialer
from adc.net.proxy_protocol import Endpoints, compose


class ProxiedConnection(ClientConnection):
    """A connection whose PROXY protocol header named `endpoints`."""

    __slots__ = ("endpoints",)

    endpoints: Endpoints | None


class ProxiedLink(HttpLink):
    """A link whose connections tell the member, in a header of `version` ("v1" or "v2"), who the client is.

    A connection is used again only for requests of the same client address and port: to the member it is that client's.
    """

    __slots__ = ("_dialer", "_version")

    def announce(self, dialer: Dialer, version: str) -> None:
        """Say how to connect, and which version to speak."""
        self._dialer = dialer
        self._version = version

    def acquire(self, receiver: ResponseReceiver) -> ClientConnection | None:
        endpoints = receiver.endpoints
        for connection in reversed(self._idle):
            if (
                endpoints is not None
                and isinstance(connection, ProxiedConnection)
                and connection.endpoints == endpoints
            ):
                self._idle.remove(connection)
                connection.receiver = receiver
                return connection
        self._begin(receiver)
        return None

    def _make(self, receiver: ResponseReceiver) -> ClientConnection:
        connection = ProxiedConnection(self)
        connection.endpoints = receiver.endpoints
        return connection

    def _dial(self, receiver: ResponseReceiver, connection: ClientConnection) -> Awaitable[object]:
        return self._dialer(lambda: connection, compose(self._version, receiver.endpoints))
