"""Content of files and of the cache on its way to a client: by the kernel where it can, else read piece by piece."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

from adc.http.message import Response
from adc.http.ranges import ByteRange
from adc.pools.errors import Failure, Outcome
from adc.proxy.end_reasons import end_reason
from adc.proxy.phases import Phase
from adc.proxy.pieces import AT_ONCE, Piece, Pieces
from adc.proxy.upstream.pending import Pending
from adc.proxy.upstream.request import UpstreamRequest

if TYPE_CHECKING:
    from adc.net.file_output import FileOutput

_WORTH: Final = 64 << 10
"""Ranges of a file from this size on are sent without being read."""


class Place(NamedTuple):
    """Where content lies in an open file."""

    descriptor: int
    offset: int


class Sending(Pending):
    """Sends `pieces`, each when the client has accepted the one before. Subclasses know where the content is."""

    __slots__ = ("_held", "_output", "_pieces", "_running", "_scheduled", "_upstream")

    def __init__(self, upstream: UpstreamRequest, pieces: Iterable[Piece]) -> None:
        self.over = False
        self._upstream = upstream
        self._pieces = Pieces(pieces)
        self._output: FileOutput | None = None
        self._held = False
        self._running = False
        self._scheduled = False
        upstream.attempt = self

    @abstractmethod
    def place(self) -> Place | None:
        """Return the place of the content if it lies in a file."""

    @abstractmethod
    def read(self, piece: ByteRange) -> bytes:
        """Return the beginning of `piece`, as much as may be read at once. Raises OSError if nothing is there."""

    @abstractmethod
    def failed(self, error: OSError) -> None:
        """Log why the content could not be read, and fail the response."""

    @abstractmethod
    def release(self) -> None:
        """Give the content back: nothing more is read of it."""

    def begin(self, response: Response) -> None:
        """Send the head and what the client takes at once."""
        self._upstream.respond(response, b"", False)
        self._run()

    def pause(self) -> None:
        self._held = True

    def resume(self) -> None:
        self._held = False
        self._run()

    def time_out(self, failure: Failure, phase: Phase) -> None:
        self._upstream.fail(failure.status, end_reason(failure), failure.token)

    def cancel(self, outcome: Outcome = Failure.CLIENT_GONE) -> None:
        if self.over:
            return
        self.over = True
        self.release()
        output, self._output = self._output, None
        if output is not None:
            output.close()

    def _run(self) -> None:
        """Send one piece; the next one follows in another loop iteration, so that others have their turn."""
        if self._running or self._scheduled or self._held or self.over:
            return
        self._running = True
        try:
            self._send()
        except OSError as error:
            self.failed(error)
        self._running = False

    def _send(self) -> None:
        piece = self._pieces.next
        if isinstance(piece, bytes):
            self._pass_on(piece)
        elif not self._pass_file(piece):
            self._pass_on(self.read(piece))

    def _pass_on(self, data: bytes) -> None:
        end = self._pieces.sent(len(data))
        if end:
            self.cancel()
        self._upstream.respond_body(data, end)
        if not end and not self.over:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._continue)

    def _continue(self) -> None:
        self._scheduled = False
        self._run()

    def _pass_file(self, piece: ByteRange) -> bool:
        """Have the kernel send what the client takes now; False if the content must be read."""
        place = self.place()
        if place is None:
            return False
        if self._output is None and piece.length >= _WORTH:
            self._output = self._upstream.file_output()
        output = self._output
        if output is None:
            return False
        sent = output.send(place.descriptor, place.offset + piece.first, min(AT_ONCE, piece.length))
        end = self._pieces.sent(sent)
        self._upstream.file_sent(sent, end)
        if end:
            self.cancel()
            self._upstream.respond_body(b"", True)
        else:
            output.wait()
        return True
