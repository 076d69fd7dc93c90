"""The descriptors of a worker's UDP sessions, so that a flood of datagrams leaves enough for connections."""

from __future__ import annotations

from adc.l4.udp.session import UNLIMITED


class UdpDescriptors:
    """`used` counts the sockets to members of all UDP listeners of a worker, `most` bounds them.

    No socket has a descriptor of `last` or higher.
    """

    def __init__(self) -> None:
        self.used = 0
        self.most: int = UNLIMITED
        self.last: int = UNLIMITED

    @property
    def full(self) -> bool:
        """True if another session must end before one opens."""
        return self.used >= self.most
