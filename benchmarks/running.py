"""A peer that has been started on its core for a row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.cores import PEER_CORE
from benchmarks.peers.peer import Peer
from benchmarks.processes import START_LIMIT, Processes, StartError, free_port, greets, returns_datagram
from benchmarks.site import Certificate, Features, Site

SECONDS_PER_ROUTE = 0.005
"""Added to the time that a peer has to start, for a large configuration on a busy machine."""


@dataclass(frozen=True)
class Running:
    """`started_in` is seconds from the start to the first 200."""

    site: Site
    processes: Processes
    started_in: float


def start(
    peer: Peer, features: Features, origin_port: int, certificate: Certificate, folder: Path
) -> Running:
    """Configure and start `peer` in the new directory `folder`. Raises StartError."""
    folder.mkdir(parents=True)
    site = Site(folder, free_port(), free_port(), origin_port, certificate, features)
    processes = Processes(peer.configure(site), folder, PEER_CORE)
    limit = START_LIMIT + features.routes * SECONDS_PER_ROUTE
    try:
        if features.protocol == "udp":
            started_in = processes.wait_until(lambda: returns_datagram(site.port), limit)
        elif features.protocol == "smtp":
            started_in = processes.wait_until(lambda: greets(site.port), limit)
        else:
            path = b"/app0/item/00"
            started_in = processes.wait_until_serving(site.port, path, tls=features.tls, limit=limit)
    except StartError:
        processes.stop()
        raise
    return Running(site, processes, started_in)
