"""Active checks that speak another protocol than the members of their pool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adc.config.errors import Path
from adc.config.model.config import Config
from adc.config.model.effects import PASSED, SMTP, TCP, TERMINATED, UDP
from adc.config.model.health import ActiveHealth
from adc.config.pool_users import pool_users
from adc.config.units import quote

Finding = tuple[Path, str]

_FITTING: Final = {
    TCP: "tcp: true to only connect",
    TERMINATED: "tcp: true to only connect",
    PASSED: "tcp: true to only connect, or tls: true",
    UDP: "udp: {send: ..., expect: ...}",
    SMTP: "smtp: true",
}
"""What checks members of other protocols than HTTP, by the kind of traffic that they get."""


def foreign_checks(config: Config) -> Iterator[Finding]:
    """Yield pools without HTTP traffic whose members are asked for the default page of HTTP."""
    for name, users in pool_users(config).items():
        pool = config.pools.get(name)
        active = None if pool is None else pool.health.active
        if active is None or not users or not all(user.kind in _FITTING for user in users):
            continue
        if _is_plain_http(active):
            yield (
                ("pools", name, "health", "active"),
                (
                    f"checks send GET {active.path}, but pool {quote(name)} serves {users[0]} "
                    f"({users[0].kind}); write {_FITTING[users[0].kind]}"
                ),
            )


def _is_plain_http(active: ActiveHealth) -> bool:
    """True for the check that is sent if none is written, rather than for one that somebody made for the members."""
    made = active.model_fields_set & {"method", "host", "headers", "port", "expect"}
    return active.path == "/" and not made
