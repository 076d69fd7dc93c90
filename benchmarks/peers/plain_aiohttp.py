"""The proxy that aiohttp's own server and client make in 40 lines."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.peers.peer import Peer
from benchmarks.site import Site

PROGRAM = Path(__file__).with_name("aiohttp_proxy.py")


def configure(site: Site) -> list[list[str]]:
    """The command; it needs no configuration."""
    arguments = (PROGRAM, site.port, site.origin_port, site.folder / "access.log")
    return [[sys.executable, *map(str, arguments)]]


PEER = Peer("aiohttp", (sys.executable,), "pip install aiohttp uvloop", configure)
