"""Identity of a client for members: PROXY protocol, XCLIENT and Received. No I/O."""

from __future__ import annotations

import re
from email.utils import formatdate
from typing import TYPE_CHECKING

from adc.http.client import Client
from adc.http.networks import parse_address
from adc.net.proxy_protocol import Endpoints

if TYPE_CHECKING:
    from adc.smtp.lease import Lease

_XTEXT = re.compile(rb"[^\x21-\x2a\x2c-\x3c\x3e-\x7e]")
_COMMENT = re.compile(r"[^\x21-\x27\x2a-\x5b\x5d-\x7e]")
UNAVAILABLE = "[UNAVAILABLE]"


class Caller:
    """Facts of a client: its connection, and what it said of itself in EHLO (`extended`) or HELO.

    `login` is the name that it authenticated with, "" without. `leases` are all open conversations with members on its
    behalf: they end with the session, whatever becomes of the task that opened them.
    """

    __slots__ = ("client", "extended", "helo", "leases", "login", "secure")

    def __init__(self, client: Client) -> None:
        self.client = client
        self.helo = ""
        self.extended = False
        self.secure = False
        self.login = ""
        self.leases: set[Lease] = set()

    @property
    def endpoints(self) -> Endpoints | None:
        """The ends of the connection for a PROXY protocol header, None for a unix socket."""
        ends = (self.client.address, self.client.own_address)
        if not all(isinstance(end, tuple) for end in ends):
            return None
        source, target = ends
        return (source[0], source[1]), (target[0], target[1])

    @property
    def protocol(self) -> str:
        """The keyword of RFC 3848 for Received and XCLIENT."""
        if not self.extended:
            return "SMTP"
        return "ESMTP" + "S" * self.secure + "A" * bool(self.login)

    def identity(self, listener: str) -> tuple[str, str, str, str, str]:
        """Return listener, address, name, protocol and login for the mail log."""
        return listener, self.client.peer, self.helo, self.protocol, self.login

    def xclient(self, offered: str) -> str:
        """Return the XCLIENT command for the attributes that the member offers, "" if it offers none that is known.

        No name is looked up, so NAME is unavailable.
        """
        address = self.client.address
        port = str(address[1]) if isinstance(address, tuple) and len(address) > 1 else UNAVAILABLE
        values = {
            "NAME": UNAVAILABLE,
            "ADDR": _xclient_address(self.client.peer),
            "PORT": port,
            "PROTO": "ESMTP" if self.extended else "SMTP",
            "HELO": self.helo[:200] or UNAVAILABLE,
            "LOGIN": self.login[:100] or UNAVAILABLE,
        }
        wanted = [name for name in values if name in offered.upper().split()]
        return " ".join(["XCLIENT", *(f"{name}={xtext(values[name])}" for name in wanted)]) if wanted else ""

    def received(self, hostname: str, now: float) -> bytes:
        """Return a Received field (RFC 5321 section 4.4) for a message that arrives at `now` (epoch seconds)."""
        helo = _COMMENT.sub("?", self.helo)[:255]
        peer = self.client.peer
        literal = f"[{_literal(peer)}]" if parse_address(peer) is not None else peer
        lines = f"Received: from {helo} ({literal})\r\n\tby {hostname} with {self.protocol};\r\n\t{formatdate(now)}\r\n"
        return lines.encode("ascii")


def _literal(peer: str) -> str:
    return f"IPv6:{peer}" if ":" in peer else peer


def _xclient_address(peer: str) -> str:
    return UNAVAILABLE if parse_address(peer) is None else _literal(peer)


def xtext(text: str) -> str:
    """Return `text` as xtext (RFC 3461 section 4)."""
    data = text.encode("utf-8", "surrogateescape")
    return _XTEXT.sub(lambda found: b"+%02X" % found[0][0], data).decode("ascii")
