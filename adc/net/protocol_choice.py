"""The protocol of a connection under TLS, which depends on what its handshake agreed on (ALPN)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from adc.net.handshake import Handshake

ChooseProtocol = Callable[[Handshake, str], asyncio.Protocol]
"""Makes the protocol of a connection whose handshake is complete; its second argument is the protocol that ALPN agreed
on, "" for none."""


class ProtocolChoice(asyncio.Protocol):
    """Stands in for the protocol of a connection during the TLS handshake: the loop asks for one before it."""

    __slots__ = ("_choose", "_handshake")

    def __init__(self, choose: ChooseProtocol, handshake: Handshake) -> None:
        self._choose = choose
        self._handshake = handshake

    def connection_made(self, transport: Any) -> None:
        alpn = transport.get_extra_info("ssl_object").selected_alpn_protocol() or ""
        protocol = self._choose(self._handshake, alpn)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
