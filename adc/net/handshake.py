"""A connection between being accepted and the first byte of its protocol. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adc.http.networks import plain_address

if TYPE_CHECKING:
    from adc.net.proxy_protocol import Endpoints
    from adc.net.sources import SourceLimit


class Handshake:
    """A connection during its handshake. `address` is the client's, as far as it is known; `endpoints` are those of a
    PROXY protocol header. `secure` is true if the connection is under TLS.

    A handshake in progress counts for the limits of its listener and of its source; `left()` is called once, when it
    is over.
    """

    __slots__ = ("_counted", "_left", "_sources", "address", "endpoints", "secure")

    def __init__(self, address: Any, left: Callable[[], None]) -> None:
        self.address = (plain_address(address[0]), *address[1:2]) if isinstance(address, tuple) else address
        self.endpoints: Endpoints | None = None
        self.secure = False
        self._left: Callable[[], None] | None = left
        self._sources: SourceLimit | None = None
        self._counted = ""

    @property
    def peer(self) -> str:
        """The client's address as text."""
        return self.address[0] if isinstance(self.address, tuple) else "unix"

    def count(self, sources: SourceLimit | None) -> bool:
        """Count for the source; False if it has too many."""
        if sources is None:
            return True
        if not sources.admit(self.peer):
            return False
        self._sources, self._counted = sources, self.peer
        return True

    def release(self) -> None:
        """Release the handshake's resources: it is complete, or has failed."""
        left, self._left = self._left, None
        if left is not None:
            left()
        if self._sources is not None:
            self._sources.leave(self._counted)
            self._sources = None
