"""Sessions that are to expire without a packet, where workers lack the right for it."""

from __future__ import annotations

from collections.abc import Iterator

from adc.config.errors import Path
from adc.config.model.config import Config
from adc.config.units import quote

Finding = tuple[Path, str]

_WITH_CONNECTIONS = ("tcp", "smtp")


def powerless_silence(config: Config) -> Iterator[Finding]:
    """Yield listeners with `on_expiry: silent` whose workers drop root's rights for those of `user`."""
    if config.user is None or config.user == "root":
        return
    for place, listener in enumerate(config.listeners):
        if listener.protocol not in _WITH_CONNECTIONS or listener.datapath.engine == "kernel":
            continue
        own = listener.sessions.on_expiry if listener.sessions is not None else None
        if (own or config.sessions.on_expiry) == "silent":
            at: Path = ("listeners", place, "sessions", "on_expiry") if own else ("sessions", "on_expiry")
            yield (
                at,
                (
                    f"silent acts like close: workers of user {quote(config.user)} lack CAP_NET_ADMIN, and the kernel "
                    f"sends FIN; listener {quote(listener.name)}"
                ),
            )
