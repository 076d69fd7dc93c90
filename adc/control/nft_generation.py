"""The number of the kernel's ruleset, which every change by any program raises: asked over netlink, without nft."""

from __future__ import annotations

import socket
import struct

from adc.sessions.conntrack import ERROR, BadMessage, error_of, messages

PATIENCE = 2.0
"""Seconds for the kernel's reply."""

_NETFILTER = 12
_GET, _NEW = 10 << 8 | 16, 10 << 8 | 15
"""NFT_MSG_GETGEN and NFT_MSG_NEWGEN of the subsystem nftables (linux/netfilter/nf_tables.h)."""

_REQUEST = 0x1
_ID = 1
_HEADERS = 4
_BUFFER = 1 << 16


def generation() -> int:
    """Return the number of the ruleset of this network namespace. Raises OSError, BadMessage."""
    body = struct.pack("=BBH", socket.AF_UNSPEC, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as kernel:
        kernel.settimeout(PATIENCE)
        kernel.bind((0, 0))
        kernel.send(struct.pack("=IHHII", 16 + len(body), _GET, _REQUEST, 1, 0) + body)
        return number_of(kernel.recv(_BUFFER))


def number_of(data: bytes) -> int:
    """Return the number in a reply. Raises OSError, BadMessage."""
    for kind, body in messages(data):
        if kind == ERROR:
            raise OSError(error_of(body), "nftables refused to tell its generation")
        if kind == _NEW and len(body) >= _HEADERS + 8:
            length, attribute = struct.unpack_from("=HH", body, _HEADERS)
            if (length, attribute) == (8, _ID):
                return int.from_bytes(body[_HEADERS + 4 : _HEADERS + 8], "big")
    raise BadMessage("no generation of nftables")
