"""A listener whose connections send back what they receive: the smallest protocol beside HTTP."""

import asyncio
from math import inf

from adc.runtime.serve.stream_listener import StreamListener

IDLE = 30.0


class EchoListener(StreamListener):
    def protocol(self, handshake, alpn):
        return EchoConnection(self.state, handshake)

    def drop_all(self, reason):
        super().drop_all(reason)
        for connection in list(self.state.connections):
            connection.abort()


class EchoConnection(asyncio.Protocol):
    deadline = inf
    retiring = False

    def __init__(self, state, handshake):
        self._state = state
        self._handshake = handshake
        self.peer = handshake.peer
        self._transport = None

    def connection_made(self, transport):
        self._transport = transport
        self._handshake.release()
        if not self._state.opened(self) or self._state.draining:
            self.abort()

    def data_received(self, data):
        self._transport.write(data)
        self.deadline = asyncio.get_running_loop().time() + IDLE
        if self.retiring:
            self.drain()

    def connection_lost(self, exc):
        self._state.closed(self)

    def timed_out(self):
        self.abort()

    def retire(self):
        self.retiring = True

    def drain(self):
        self._transport.close()

    def abort(self):
        self._transport.abort()
