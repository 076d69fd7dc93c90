"""Addresses to listen on."""

from __future__ import annotations

from dataclasses import dataclass, field

BACKLOG = 4096
"""Connections that may wait for accept; the kernel caps it at net.core.somaxconn."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address to listen on: `kind` is tcp, udp or unix; `host` is a literal address, or the path of a unix socket.

    Port 0 is any free port; `owner`, the listener's name, then tells apart those who ask for one. To a `private` unix
    socket only its owner connects. A UDP address has a socket in each `slot` (`adc.control.udp_sockets`). An `idle`
    address is bound, so that no other program has it, but nothing accepts on its socket: the kernel forwards its flows.
    """

    kind: str
    host: str
    port: int = 0
    owner: str = ""
    backlog: int = field(default=BACKLOG, compare=False)
    private: bool = field(default=False, compare=False)
    slot: int = 0
    idle: bool = field(default=False, compare=False)

    @property
    def key(self) -> str:
        """One text per address, the name of its socket wherever sockets are handed on."""
        if self.kind == "unix":
            return f"unix:{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        slot = f"#{self.slot}" if self.slot else ""
        return f"{self.kind}:{host}:{self.port or f'0@{self.owner}'}{slot}"
