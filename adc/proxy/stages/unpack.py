"""Decoding of response content on the way to a client: a step per loop iteration, with backpressure both ways."""

from __future__ import annotations

import asyncio
from typing import Protocol

from adc.compression.decoders import DecodeError, Decoder
from adc.proxy.body_filter import BrokenContent
from adc.proxy.gate import CLIENT, DECODER
from adc.proxy.states import ENDED


class Unpacked(Protocol):
    """The receiver of decoded content."""

    @property
    def state(self) -> int: ...

    @property
    def response_holds(self) -> int: ...

    def hold_response(self, reason: int) -> None: ...

    def release_response(self, reasons: int) -> None: ...

    def pass_on(self, data: bytes, end: bool) -> None: ...

    def content_broke(self, broken: BrokenContent) -> None: ...


class Unpacker:
    """Decodes the content of one exchange. While more can be made of what has come, the member is paused; while the
    client is slow, nothing is decoded.
    """

    __slots__ = ("_decoder", "_deferred", "_end", "_scheduled")

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._end = False
        self._scheduled = False
        self._deferred = False

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

    def push(self, exchange: Unpacked, data: bytes, end: bool) -> None:
        """Decode more content, and what is left of the content before."""
        self._end = self._end or end
        self._decoder.feed(data)
        if self._scheduled or exchange.response_holds & CLIENT:
            self._deferred = True
            exchange.hold_response(DECODER)
        else:
            self._go_on(exchange)

    def writable(self, exchange: Unpacked) -> None:
        """Decode what waits, because the client takes more."""
        if self._deferred or self.pending:
            self.schedule(exchange)

    def schedule(self, exchange: Unpacked) -> None:
        """Decode the next step in the next loop iteration, and let the member wait."""
        exchange.hold_response(DECODER)
        if not (self._scheduled or exchange.response_holds & CLIENT):
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._due, exchange)

    def _due(self, exchange: Unpacked) -> None:
        self._scheduled = False
        if exchange.state != ENDED and not exchange.response_holds & CLIENT:
            self._go_on(exchange)

    def _go_on(self, exchange: Unpacked) -> None:
        self._deferred = False
        try:
            data = self._step()
        except DecodeError as error:
            exchange.content_broke(BrokenContent(str(error)))
            return
        exchange.pass_on(data, self.ended)
        if exchange.state == ENDED:
            return
        if self.pending:
            self.schedule(exchange)
        else:
            exchange.release_response(DECODER)

    def _step(self) -> bytes:
        decoded = self._decoder.step()
        if self.ended:
            self._decoder.finish()
        return decoded
