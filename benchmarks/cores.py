"""Which core the peer has to itself and which one carries the load and the origin."""

from __future__ import annotations

import os
import resource

_ALLOWED = sorted(os.sched_getaffinity(0))
PEER_CORE = _ALLOWED[0]
LOAD_CORE = _ALLOWED[-1]
"""The same as PEER_CORE on a machine of one core: figures are then CPU per request only."""

TICKS = os.sysconf("SC_CLK_TCK")
"""Of /proc, in a second."""

WANTED_DESCRIPTORS = 65536


def raise_descriptor_limit() -> int:
    """Raise RLIMIT_NOFILE (the hard limit too where allowed) for us and our children; what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (max(WANTED_DESCRIPTORS, hard), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        except (ValueError, OSError):
            continue
        return wanted
    return soft


def on_core(core: int, command: list[str]) -> list[str]:
    """`command` held to one core; taskset replaces itself, so that the pid is the command's."""
    return ["taskset", "-c", str(core), *command]
