"""Decoding of response content on the way to a client: a step per loop iteration, with backpressure both ways."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from adc.compression.decoders import DecodeError, Decoder
from adc.proxy.body_filter import BrokenContent

if TYPE_CHECKING:
    from adc.codecs.interface import MemberConnection
    from adc.proxy.exchange import Exchange


class Unpacker:
    """Decodes the content of one exchange. While more can be made of what has come, the member is paused; while the
    client is slow (`client_blocked`), nothing is decoded.
    """

    __slots__ = ("_decoder", "_end", "_scheduled", "client_blocked")

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._end = False
        self._scheduled = False
        self.client_blocked = False

    @property
    def pending(self) -> bool:
        """True if there is more to decode without more input."""
        return self._decoder.pending

    @property
    def ended(self) -> bool:
        """True if all content has come and was decoded."""
        return self._end and not self._decoder.pending

    def first(self, data: bytes, end: bool) -> bytes:
        """Decode the first step of what came with the head. Raises BrokenContent."""
        self._end = end
        try:
            self._decoder.feed(data)
            return self._step()
        except DecodeError as error:
            raise BrokenContent(str(error)) from error

    def push(self, exchange: Exchange, data: bytes, end: bool) -> None:
        """Decode more content, and what is left of the content before."""
        self._end = self._end or end
        self._decoder.feed(data)
        if self._scheduled or self.client_blocked:
            self._hold(exchange)
        else:
            self._go_on(exchange)

    def writable(self, exchange: Exchange) -> bool:
        """The client takes more. Return True if that has to be decoded first."""
        self.client_blocked = False
        if self.pending:
            self.schedule(exchange)
        return self.pending

    def schedule(self, exchange: Exchange) -> None:
        """Decode the next step in the next loop iteration, and let the member wait."""
        self._hold(exchange)
        if not (self._scheduled or self.client_blocked):
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._due, exchange)

    def _due(self, exchange: Exchange) -> None:
        self._scheduled = False
        if not (exchange.finished_at or self.client_blocked):
            self._go_on(exchange)

    def _go_on(self, exchange: Exchange) -> None:
        try:
            data = self._step()
        except DecodeError as error:
            exchange.content_broke(BrokenContent(str(error)))
            return
        exchange.pass_on(data, self.ended)
        if exchange.finished_at:
            return
        if self.pending:
            self.schedule(exchange)
        elif not (self.client_blocked or (exchange.plugins is not None and exchange.plugins.responses.busy)):
            connection = _connection(exchange)
            if connection is not None:
                connection.resume_reading()

    def _step(self) -> bytes:
        decoded = self._decoder.step()
        if self.ended:
            self._decoder.finish()
        return decoded

    def _hold(self, exchange: Exchange) -> None:
        connection = _connection(exchange)
        if connection is not None:
            connection.pause_reading()


def _connection(exchange: Exchange) -> MemberConnection | None:
    attempt = exchange.attempt
    return None if attempt is None or attempt.over else attempt.connection
