"""The ceilings of a pool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one pool in one worker; 0 means none.

    `connections_per_member` bounds the requests in flight to each member, `requests` the ones of the whole pool,
    `pending` the requests that wait for a connection, and `connections` the open connections. Up to `queue` requests
    wait `queue_timeout` seconds for a member below its limit, the newest first if `newest_first`.
    """

    connections_per_member: int = 0
    requests: int = 0
    pending: int = 0
    connections: int = 0
    queue: int = 0
    queue_timeout: float = 5.0
    newest_first: bool = False
