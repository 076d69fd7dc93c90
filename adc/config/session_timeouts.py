"""Timeouts of the session table that do not agree with each other, with the applications', or with the kernel's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from adc.config.errors import Path
from adc.config.model.config import Config
from adc.config.model.listeners import Listener
from adc.config.model.sessions import SessionKeepAlive, Sessions
from adc.config.units import format_duration as spelled
from adc.config.units import quote

Finding = tuple[Path, str]

SMTP_PATIENCE: Final = 300.0
"""Seconds that a mail server waits for a command (RFC 5321 section 4.5.3.2.7)."""

CONNTRACK: Final = {
    "tcp": "nf_conntrack_tcp_timeout_established",
    "udp": "nf_conntrack_udp_timeout",
    "udp_stream": "nf_conntrack_udp_timeout_stream",
}
"""Settings of Linux for what its connection tracking (NAT, firewall) remembers, by the name of ours."""

REMEDIES: Final = "raise the timeout, or set sessions.keep_alive below it"


def session_disagreements(config: Config) -> Iterator[Finding]:
    """Yield the value to change and why."""
    for number, listener in enumerate(config.listeners):
        if listener.protocol in ("tcp", "smtp", "udp"):
            yield from _of_listener(number, listener, config)


def application_disagreements(config: Config, idle: float) -> Iterator[Finding]:
    """Yield the listeners whose sessions expire before applications that pause for `idle` seconds go on."""
    for number, listener in enumerate(config.listeners):
        if listener.protocol not in ("tcp", "smtp", "udp"):
            continue
        name = "udp_stream" if listener.protocol == "udp" else "tcp"
        timeout = in_force(listener, config.sessions, name)
        probes = keep_alive(listener, config.sessions)
        probed = listener.protocol != "udp" and listener.datapath.engine != "kernel"
        kept = probed and any(0 < each < timeout for each in (probes.client, probes.member))
        if timeout <= idle and not kept:
            remedy = REMEDIES if probed else "raise the timeout"
            yield (
                place(number, listener, name),
                (
                    f"sessions of listener {quote(listener.name)} expire after {spelled(timeout)}, but its "
                    f"applications pause for {spelled(idle)}: the next byte of either meets a session that is gone; "
                    f"{remedy}"
                ),
            )


def conntrack_disagreements(config: Config, kernel: Mapping[str, float]) -> Iterator[Finding]:
    """Yield timeouts that are longer than those of the kernel's connection tracking, by its settings in seconds.

    Listeners with rules in the kernel are left out: their flows are tracked with the timeouts of adc.
    """
    if config.firewall is not None and config.firewall.engine == "nftables":
        return
    for number, listener in enumerate(config.listeners):
        if listener.datapath.engine == "kernel":
            continue
        names = {"tcp": ("tcp",), "smtp": ("tcp",), "udp": ("udp", "udp_stream")}
        for name in names.get(listener.protocol, ()):
            setting = CONNTRACK[name]
            timeout, limit = in_force(listener, config.sessions, name), kernel.get(setting)
            if limit is not None and timeout > limit:
                yield (
                    place(number, listener, name),
                    (
                        f"sessions of listener {quote(listener.name)} live {spelled(timeout)}, but connection tracking "
                        f"here forgets them after {spelled(limit)} ({setting}): behind NAT the next packet has no "
                        f"address to go to; lower {name}, or raise the kernel's"
                    ),
                )


def in_force(listener: Listener, sessions: Sessions, name: str) -> float:
    """Return the timeout called `name` for a listener, in seconds."""
    own = None if listener.sessions is None else getattr(listener.sessions.timeouts, name)
    found: float = getattr(sessions.timeouts, name) if own is None else own
    return found


def keep_alive(listener: Listener, sessions: Sessions) -> SessionKeepAlive:
    """Return the intervals of probes for a listener."""
    own = None if listener.sessions is None else listener.sessions.keep_alive
    return sessions.keep_alive if own is None else own


def place(number: int, listener: Listener, name: str) -> Path:
    """Return where the timeout called `name` of a listener is written."""
    if listener.sessions is not None and getattr(listener.sessions.timeouts, name) is not None:
        return ("listeners", number, "sessions", "timeouts", name)
    return ("sessions", "timeouts", name)


def _of_listener(number: int, listener: Listener, config: Config) -> Iterator[Finding]:
    def of(name: str) -> float:
        return in_force(listener, config.sessions, name)

    if listener.protocol == "udp":
        if of("udp_stream") < of("udp"):
            yield (
                place(number, listener, "udp_stream"),
                (
                    f"udp_stream ({spelled(of('udp_stream'))}) is below udp ({spelled(of('udp'))}): a session with "
                    "replies is forgotten before one without; raise udp_stream"
                ),
            )
        return
    probes = keep_alive(listener, config.sessions)
    own = listener.sessions is not None and listener.sessions.keep_alive is not None
    at: Path = ("listeners", number, "sessions", "keep_alive") if own else ("sessions", "keep_alive")
    for side in ("client", "member"):
        interval = getattr(probes, side)
        if interval >= of("tcp"):
            yield (
                (*at, side),
                (
                    f"keep_alive.{side} ({spelled(interval)}) is not below timeouts.tcp ({spelled(of('tcp'))}): "
                    "sessions expire before the first probe; lower keep_alive"
                ),
            )
    if of("tcp_half_closed") > of("tcp"):
        yield (
            place(number, listener, "tcp_half_closed"),
            (
                f"tcp_half_closed ({spelled(of('tcp_half_closed'))}) is above tcp ({spelled(of('tcp'))}): half a "
                "session is kept longer than a whole one; lower tcp_half_closed"
            ),
        )
    if listener.protocol == "smtp" and of("tcp") < SMTP_PATIENCE:
        yield (
            place(number, listener, "tcp"),
            (
                f"sessions of listener {quote(listener.name)} expire after {spelled(of('tcp'))}, but mail clients and "
                f"members may pause for {spelled(SMTP_PATIENCE)} (RFC 5321 section 4.5.3.2); raise tcp"
            ),
        )
