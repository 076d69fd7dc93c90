"""What is known of a request when its head has arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """The head of a request and the connection it came on. `target` and `headers` are as received."""

    method: bytes
    target: bytes
    protocol: bytes
    """`HTTP/1.1`"""
    headers: Sequence[tuple[bytes, bytes]]
    client_address: bytes
    client_port: int
    server_address: bytes
    server_port: int
    unique_id: bytes
    time: float
    """Seconds since the epoch."""
